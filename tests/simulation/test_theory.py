"""The simulator against queueing theory, and against an independent simulation in SimPy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
import simpy
from simulation_cases import module_plan

from harpagon.instances.instance import Configuration
from harpagon.instances.plan import DispatchTuple, ModulePlan
from harpagon.instances.policies import Dispatch
from harpagon.simulation.arrivals.processes import GammaArrivals
from harpagon.simulation.dispatch.dispatchers import graces, module_dispatcher
from harpagon.simulation.dispatch.machines import profiled
from harpagon.simulation.dispatch.padding import Padding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.simulation.dispatch.machines import ServiceTime

REPLICATIONS = 20
# Periods without a common multiple: at one instant, two simulations may open batches in either order.
SMALL, MIDDLE, LARGE = (Configuration("gpu", b, d, 1.0) for b, d in ((2, 0.0917), (8, 0.2531), (32, 0.8137)))


class ExponentialService:
    """Exponential service times whose mean is the profiled duration."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def __call__(self, duration: float) -> float:
        return float(self._generator.exponential(duration))


def mean_sojourn(machines: int, load: float, seed: int, exponential: bool) -> float:
    """Mean seconds in a module of unit batches and unit durations, over 2,000 to 22,000 s."""
    part = DispatchTuple.full(Configuration("gpu", 1, 1.0, 1.0), machines)
    service: ServiceTime = ExponentialService(np.random.default_rng((seed, 1))) if exponential else profiled
    dispatcher = module_dispatcher(
        module_plan([part], Dispatch.PER_CONFIG), Dispatch.PER_CONFIG, Padding.TIME_OUT, service=service
    )
    pieces = GammaArrivals().times(load * machines, 22_000.0, np.random.default_rng((seed, 0)))
    times = np.concatenate(list(pieces))
    served = dispatcher.feed(times, math.inf)
    return float((served.finish - times)[times > 2_000].mean())


def confidence(values: list[float]) -> tuple[float, float]:
    """Mean and half width of its 99.9 % interval: Student's t with 19 degrees of freedom is 3.883."""
    return float(np.mean(values)), 3.883 * float(np.std(values, ddof=1)) / math.sqrt(len(values))


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_single_machine_waits_as_m_d_1(load: float) -> None:
    """Pollaczek-Khinchine: mean wait = load x d / (2 (1 - load))."""
    mean, half = confidence([mean_sojourn(1, load, seed, exponential=False) for seed in range(REPLICATIONS)])
    assert half < 0.15
    assert abs(mean - 1 - load / (2 * (1 - load))) < half


@pytest.mark.parametrize(("machines", "load"), [(1, 0.7), (4, 0.8)])
def test_machines_wait_as_m_m_c(machines: int, load: float) -> None:
    """Erlang C: mean wait = C(c, a) / (c (1 - load)) with a = c x load and unit mean service."""
    offered = machines * load
    tail = offered**machines / math.factorial(machines) / (1 - load)
    waiting = tail / (sum(offered**k / math.factorial(k) for k in range(machines)) + tail)
    mean, half = confidence([mean_sojourn(machines, load, seed, exponential=True) for seed in range(REPLICATIONS)])
    assert half < 0.3
    assert abs(mean - 1 - waiting / (machines * (1 - load))) < half


@dataclass(eq=False)
class RefereeBatch:
    rank: float
    part: DispatchTuple
    machines: simpy.Resource
    requests: list[int] = field(default_factory=list)


class Referee:
    """The open-batch dispatcher once more, as SimPy processes: openings, arrivals, time-outs and machines."""

    def __init__(self, module: ModulePlan, dispatch: Dispatch, times: np.ndarray) -> None:
        self.environment = simpy.Environment()
        self.finish = np.full(times.size, np.nan)
        self.open: list[RefereeBatch] = []
        self.waiting: list[int] = []
        self.by_due = dispatch is Dispatch.EDF
        self.environment.process(self.arrive(times))
        for index, part in enumerate(module.tuples):
            due = module.tuple_latencies[index] - part.configuration.duration
            machines = simpy.Resource(self.environment, math.ceil(part.machines))
            opener = self.open_batches(index, part, due, graces(module, dispatch)[index], machines, float(times[0]))
            self.environment.process(opener)
        self.environment.run(until=float(times[-1]) + 60)

    def arrive(self, times: np.ndarray) -> Iterator[simpy.Event]:
        for number, time in enumerate(times):
            yield self.environment.timeout(time - self.environment.now)
            self.waiting.append(number)
            self.place()

    def open_batches(
        self, index: int, part: DispatchTuple, due: float, grace: float, machines: simpy.Resource, start: float
    ) -> Iterator[simpy.Event]:
        period = part.configuration.batch / part.rate
        yield self.environment.timeout(start - 1e-9)
        while True:
            rank = self.environment.now + due if self.by_due else index
            batch = RefereeBatch(rank, part, machines)
            self.open.append(batch)
            self.place()
            self.environment.process(self.expire(batch, due + grace))
            yield self.environment.timeout(period)

    def expire(self, batch: RefereeBatch, patience: float) -> Iterator[simpy.Event]:
        yield self.environment.timeout(patience)
        self.close(batch)

    def place(self) -> None:
        while self.waiting and self.open:
            batch = min(self.open, key=lambda candidate: candidate.rank)
            batch.requests.append(self.waiting.pop(0))
            if len(batch.requests) == batch.part.configuration.batch:
                self.close(batch)

    def close(self, batch: RefereeBatch) -> None:
        if batch in self.open:
            self.open.remove(batch)
            self.environment.process(self.execute(batch))

    def execute(self, batch: RefereeBatch) -> Iterator[simpy.Event]:
        if batch.requests:
            with batch.machines.request() as machine:
                yield machine
                yield self.environment.timeout(batch.part.configuration.duration)
            self.finish[batch.requests] = self.environment.now


@pytest.mark.parametrize("dispatch", [Dispatch.EDF, Dispatch.TC_SAFE, Dispatch.TC])
@pytest.mark.parametrize(
    ("schedule", "load"),
    [
        ((DispatchTuple.full(LARGE, 4), DispatchTuple.full(MIDDLE, 1), DispatchTuple.residual(SMALL, 6.1)), 0.95),
        ((DispatchTuple.full(LARGE, 2), DispatchTuple.full(MIDDLE, 2)), 0.8),
        ((DispatchTuple.full(MIDDLE, 3), DispatchTuple.full(SMALL, 2)), 0.4),
    ],
)
def test_simpy_gives_the_same_completions(schedule: tuple[DispatchTuple, ...], load: float, dispatch: Dispatch) -> None:
    module = module_plan(schedule, dispatch)
    pieces = GammaArrivals(1.5).times(load * module.rate, 40.0, np.random.default_rng(5))
    times = np.concatenate(list(pieces))
    served = module_dispatcher(module, dispatch, Padding.TIME_OUT).feed(times, float(times[-1]) + 60)
    assert served.finish == pytest.approx(Referee(module, dispatch, times).finish, abs=1e-6)
