"""What a real server is asked, and what came back: the planned module, even arrivals, bound against measured."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.files.instances import from_document
from harpagon.simulation.deploy.tuples import served_tuples
from harpagon.simulation.serving.client import Answers, send_evenly
from harpagon.simulation.serving.clock import Lag
from harpagon.simulation.serving.http import HOST, HttpClient
from harpagon.simulation.serving.kserve import infer_request
from harpagon.solvers.methods import solve

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.deploy.tuples import ServedTuple

RATE = 28.0
"""Requests per second: 14/15 of what three machines do, and more than two do even without their room."""
TRIES = 3
"""Measurements, until one is not blurred by the rest of this machine's work."""
SHARE = 0.85
"""Share of its profiled duration for which a worker sleeps: the rest is room for this machine."""
_PATIENCE = 20.0
_WARMUP = 2
"""Batches of every machine before the clock starts: first batches load what they need."""
_READY = 30.0
"""Seconds in which a server is up and a late answer is given up."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests answered, those beyond the bound or not answered, the latest answer, and this machine's lag, seconds."""

    machines: int
    bound: float
    requests: int
    late: int
    largest: float
    lag: float

    @property
    def is_blurred(self) -> bool:
        """Whether this machine's own timers explain every late request."""
        return self.late > 0 and self.largest - self.bound <= self.lag

    def __str__(self) -> str:
        return (
            f"{self.machines} machines: {self.late} of {self.requests} requests beyond {self.bound * 1e3:.1f} ms, "
            f"the latest at {self.largest * 1e3:.1f} ms; timers up to {self.lag * 1e3:.1f} ms late"
        )


def planned_module(rate: float, dispatch: Dispatch) -> tuple[Instance, Plan, ServedTuple]:
    """An instance of one module on one-core machines, its cheapest plan, and the only tuple of that."""
    document = {
        "format": "harpagon-instance/1",
        "name": "sleeper",
        "hardware": {"cpu-1": {"price_per_hour": 1}},
        "profiles": {"sleeper": {"cpu-1": {4: 400}}},
        "pipelines": [
            {"name": "sleeper", "rate_rps": rate, "slo_ms": 1000, "modules": {"sleeper": {"model": "sleeper"}}}
        ],
    }
    instance = from_document(document, "sleeper")
    plan = solve(instance, "exact", None, dispatch).plan
    assert plan is not None
    (part,) = served_tuples(instance, plan)
    return instance, plan, part


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


async def measure(port: int, path: str, part: ServedTuple, machines: int, seconds: float) -> Measured:
    """Wait until the module answers at ``path``, then send its requests evenly for ``seconds``."""
    client, lag, answers = HttpClient(port), Lag(), Answers()
    try:
        await _until_ready(client, path)
        every = range(_WARMUP * part.batch * machines)
        await asyncio.gather(*(client.post(path, infer_request(1)) for _ in every))
        ticking = asyncio.create_task(_note(lag))
        await send_evenly(client, path, part.rate, seconds, _PATIENCE, lag, answers)
        ticking.cancel()
    finally:
        client.close()
    late = sum(latency > part.bound for latency in answers.latencies) + answers.unanswered
    sent = len(answers.latencies) + answers.unanswered
    return Measured(machines, part.bound, sent, late, max(answers.latencies, default=0.0), lag.largest)


async def _note(lag: Lag) -> None:
    """Take note of how late timers are, time after time."""
    while True:
        instant = asyncio.get_running_loop().time() + 1e-2
        await asyncio.sleep(1e-2)
        lag.note(instant)


async def _until_ready(client: HttpClient, path: str) -> None:
    end = time.perf_counter() + _READY
    while True:
        try:
            await client.post(path, infer_request(1))
            return
        except OSError as error:
            if time.perf_counter() > end:
                raise SystemExit(f"no answer within {_READY:g} s ({error})") from None
            await asyncio.sleep(0.3)


def verdict(kept: Measured, fewer: Measured) -> int:
    """0 where the bound was kept, and missed by most with a machine fewer; else 1."""
    return int(bool(kept.late) or fewer.late < fewer.requests / 2)
