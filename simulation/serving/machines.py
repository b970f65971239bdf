"""Machines of a served plan: servers of one model that take one batch at a time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from harpagon.simulation.serving.clock import sleep_until
from harpagon.simulation.serving.http import HttpClient, HttpServer
from harpagon.simulation.serving.kserve import batch_of, infer_path, infer_response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class SleepingMachine:
    """A machine that sleeps for as long as a batch takes, whatever its size, from the moment it is asked."""

    def __init__(self, model: str, seconds: float) -> None:
        self._model = model
        self._seconds = seconds
        self._one_batch = asyncio.Lock()

    async def infer(self, document: Any) -> Any:
        """Take a batch, and answer it after its duration."""
        async with self._one_batch:
            await sleep_until(asyncio.get_running_loop().time() + self._seconds)
        return infer_response(self._model, batch_of(document))


@asynccontextmanager
async def sleeping_machine(model: str, seconds: float) -> AsyncIterator[HttpClient]:
    """A machine that serves on a port of its own, by the client that reaches it."""
    async with HttpServer({infer_path(model): SleepingMachine(model, seconds).infer}) as server:
        client = HttpClient(server.port)
        try:
            yield client
        finally:
            client.close()
