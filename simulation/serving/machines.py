"""Machines of a served plan: servers of one model that take one batch at a time, and sleep or run the model."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harpagon.instances.cpu.instance import cores_of
from harpagon.instances.cpu.measure import open_session, random_inputs
from harpagon.instances.errors import InputError
from harpagon.simulation.serving.clock import sleep_until
from harpagon.simulation.serving.http import HttpClient, HttpServer
from harpagon.simulation.serving.kserve import batch_of, infer_path, infer_response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from harpagon.instances.instance import Configuration


class Worker(Protocol):
    """What a machine does with a batch of so many requests."""

    async def run(self, batch: int) -> None:
        """Take a batch, and return when it is done."""


@dataclass(frozen=True, slots=True)
class SleepingWorker:
    """Sleeps for as long as a batch takes, whatever its size."""

    seconds: float

    async def run(self, batch: int) -> None:
        """Sleep."""
        await sleep_until(asyncio.get_running_loop().time() + self.seconds)


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """An ONNX file that machines run: its path, and input name to dimensions after the batch, "" for the only input."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def worker(self, configuration: Configuration) -> OnnxWorker:
        """A worker on as many cores as the configuration's hardware type names, warmed up.

        Raises
        ------
        InputError
            Where the type is not cpu-1, cpu-2, ..., or ONNX Runtime cannot run the file on batches of that size.
        """
        try:
            cores = cores_of(configuration.hardware)
        except ValueError:
            problem = f"is planned on {configuration.hardware}, ONNX files run on cpu-1, cpu-2, ... here"
            raise InputError(str(self.path), "", problem, "Leave it out: its machines then sleep") from None
        session = open_session(self.path, cores)
        worker = OnnxWorker(session, random_inputs(self.path, session, configuration.batch, self.shapes))
        for batch in {1, configuration.batch}:
            worker.infer(batch)
        return worker


@dataclass(frozen=True, slots=True)
class OnnxWorker:
    """Runs an ONNX Runtime session on random inputs, in a thread of its own."""

    session: Any
    inputs: Mapping[str, Any]
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def infer(self, batch: int) -> None:
        """Run a batch of at most as many requests as there are inputs."""
        self.session.run(None, {name: tensor[:batch] for name, tensor in self.inputs.items()})

    async def run(self, batch: int) -> None:
        """Run a batch in the thread."""
        await asyncio.get_running_loop().run_in_executor(self.thread, self.infer, batch)


@asynccontextmanager
async def machine(module: str, worker: Worker, turn: asyncio.Lock | None = None) -> AsyncIterator[HttpClient]:
    """A machine that serves a module on a port of its own, by the client that reaches it.

    Those of several modules with one ``turn`` are one machine: their batches run in the order in which they come.
    """
    one_batch = turn or asyncio.Lock()

    async def infer(document: Any) -> Any:
        async with one_batch:
            await worker.run(batch_of(document))
        return infer_response(module, batch_of(document))

    async with HttpServer({infer_path(module): infer}) as server:
        client = HttpClient(server.port)
        try:
            yield client
        finally:
            client.close()
