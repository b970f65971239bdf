"""Plans: one schedule per module, with the latency and the cost it claims."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from harpagon.instances.checks import Checks, settle
from harpagon.instances.errors import shown
from harpagon.instances.frozen import FrozenMapping
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pandas import DataFrame

    from harpagon.instances.instance import Configuration


_LEAST = math.ulp(0.0)
"""Smallest figure above 0."""


def _check_positive(check: Checks, **figures: float) -> None:
    for name, value in figures.items():
        check.number((name,), value, _LEAST, math.inf)


def _check_not_negative(check: Checks, **figures: float) -> None:
    for name, value in figures.items():
        check.number((name,), value, 0.0, math.inf)


_COLUMNS = ("pipeline", "module", "hardware", "batch", "machines", "rate_rps", "latency_ms", "cost_per_hour")


@dataclass(frozen=True, slots=True)
class DispatchTuple:
    """Machines of one configuration in a module's schedule.

    Attributes
    ----------
    configuration
        What every machine of the tuple runs.
    machines
        A whole number for full machines; a fraction below one for a residual.
    rate
        Requests per second they work at, dummy requests included: machines x throughput, those in spare left out.
    """

    configuration: Configuration
    machines: float
    rate: float

    def __post_init__(self) -> None:
        # Searches build many of these: one comparison tells a sound one.
        if not (0 < self.machines < math.inf and 0 < self.rate < math.inf):
            check = Checks(f"tuple {self.configuration}")
            _check_positive(check, machines=self.machines, rate=self.rate)
        if type(self.machines) not in (int, float) or type(self.rate) is not float:
            settle(self, "machines", "rate")

    @classmethod
    def full(cls, configuration: Configuration, machines: int, spare: int = 0) -> DispatchTuple:
        """``machines`` machines at their whole throughput, and ``spare`` more that nothing is asked of."""
        return cls(configuration, machines + spare, machines * configuration.throughput)

    @classmethod
    def residual(cls, configuration: Configuration, rate: float) -> DispatchTuple:
        """One machine partly used, at ``rate`` requests per second below its throughput."""
        return cls(configuration, rate / configuration.throughput, rate)

    @property
    def is_residual(self) -> bool:
        """Whether this is a partly used machine, paid for by the fraction."""
        return self.machines < 1

    @property
    def working(self) -> int:
        """Machines that the rate takes: all but those in spare."""
        return 1 if self.is_residual else round(self.rate / self.configuration.throughput)

    @property
    def cost(self) -> float:
        """Dollars per hour."""
        return self.machines * self.configuration.price


@dataclass(frozen=True, slots=True)
class Pace:
    """How a module of a paced pipeline keeps its latency.

    Attributes
    ----------
    dispatcher
        What makes its batches: "at-once", "in-step", "open-batches", "server", "turns" on a shared machine, or "dealt"
        between machines of its own and a shared one.
    start
        Seconds after its root request at which a request counts as arrived, and not before.
    close_after
        Per tuple, seconds after its opening at which a batch closes even if it is not full.
    machine
        Name of the shared machine on which it takes turns; empty where its machines are its own.
    own_share
        Of a dealt module the share of its requests that machines of its own take, its first tuple; else 0.
    """

    dispatcher: str
    start: float
    close_after: tuple[float, ...]
    machine: str = ""
    own_share: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """Schedule of one module.

    Attributes
    ----------
    rate
        Requests per second that arrive, dummy requests not included.
    tuples
        In dispatch order.
    tuple_latencies
        Worst-case latency of each tuple, seconds.
    latency
        Worst-case latency of the module, seconds.
    dummy_rate
        Requests per second handed out beyond the arrivals.
    cost
        Dollars per hour.
    pace
        Under ``paced``, how it keeps its latency; else None.
    """

    rate: float
    tuples: tuple[DispatchTuple, ...]
    tuple_latencies: tuple[float, ...]
    latency: float
    dummy_rate: float
    cost: float
    pace: Pace | None = None

    def __post_init__(self) -> None:
        check, figures = Checks("module plan"), (self.rate, self.latency, self.dummy_rate, self.cost)
        # Long pipelines have many of these: comparisons tell a sound one.
        if not (self.rate and all(type(figure) is float and 0 <= figure < math.inf for figure in figures)):
            _check_positive(check, rate=self.rate)
            _check_not_negative(check, latency=self.latency, dummy_rate=self.dummy_rate, cost=self.cost)
            settle(self, "rate", "latency", "dummy_rate", "cost")
        if len(self.tuples) != len(self.tuple_latencies):
            problem = f"{len(self.tuple_latencies)} latencies for {len(self.tuples)} tuples"
            check.refuse(("tuple_latencies",), problem, "Give one per tuple")

    def counts(self) -> tuple[int, ...]:
        """Machines of every tuple, those in spare included; of a shared one all that stand for it."""
        whole = [math.ceil(part.machines) for part in self.tuples]
        if self.pace is not None and self.pace.machine:
            part = self.tuples[-1]
            whole[-1] = max(1, round(part.machines * part.configuration.throughput / part.rate))
        return tuple(whole)


@dataclass(frozen=True, slots=True)
class Promise:
    """Streams of root requests that a paced plan claims its latency for.

    Attributes
    ----------
    rate, burst
        At most burst + rate x requests come in any closed window of x seconds; ``rate`` in requests per second.
    arrivals
        The recorded trace that is such a stream; empty where the instance says rate and burst.
    """

    rate: float
    burst: float = 1.0
    arrivals: str = ""

    def __post_init__(self) -> None:
        check = Checks("promise")
        _check_positive(check, rate=self.rate)
        check.number(("burst",), self.burst, 1.0, math.inf)

    @property
    def delay(self) -> float:
        """Seconds that a regulator at the root holds a request at the most: (burst - 1) / rate."""
        return (self.burst - 1) / self.rate


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """Schedules of one pipeline's modules.

    Attributes
    ----------
    latency
        Seconds of its longest source-to-sink path, with the wait of a burst under ``paced``.
    promise
        Streams that it is made for where these are not those of the instance; else None.
    """

    name: str
    slo: float
    latency: float
    modules: Mapping[str, ModulePlan]
    promise: Promise | None = None

    def __post_init__(self) -> None:
        check = Checks(f"plan of pipeline {self.name}")
        _check_positive(check, slo=self.slo)
        _check_not_negative(check, latency=self.latency)
        object.__setattr__(self, "modules", FrozenMapping(self.modules))

    @property
    def cost(self) -> float:
        """Dollars per hour."""
        return sum(module.cost for module in self.modules.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """One schedule per module of every pipeline of an instance.

    Attributes
    ----------
    cost
        Dollars per hour.
    instance_digest
        Which instance it was made for: `Instance.digest`; empty where not known.
    headroom
        It was made for (1 + headroom) times the rates of that instance.
    spare
        It keeps what it claims with so many machines of every module gone.
    """

    instance: str
    billing: Billing
    dispatch: Dispatch
    pipelines: tuple[PipelinePlan, ...]
    cost: float
    instance_digest: str = ""
    headroom: float = 0.0
    spare: int = 0

    def __post_init__(self) -> None:
        check = Checks(f"plan for {self.instance}")
        check.word(("billing",), self.billing, tuple(Billing))
        check.word(("dispatch",), self.dispatch, tuple(Dispatch))
        object.__setattr__(self, "billing", Billing(self.billing))
        object.__setattr__(self, "dispatch", Dispatch(self.dispatch))
        _check_not_negative(check, cost=self.cost)
        names = [pipeline.name for pipeline in self.pipelines]
        for position, name in enumerate(names):
            if name in names[:position]:
                place = ("pipelines", position, "name")
                check.refuse(place, f"a second plan for {shown(name)}", "Remove one of the two")

    def tuples(self) -> Iterator[DispatchTuple]:
        """The tuples of every module of every pipeline."""
        for pipeline in self.pipelines:
            for module in pipeline.modules.values():
                yield from module.tuples

    def usage(self) -> dict[str, float]:
        """Machines in use of every hardware type, a residual by its fraction."""
        return machines_used(self.tuples())

    def shared_machines(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Name of every shared machine to the pairs (pipeline, module) that take turns on it."""
        hosts: dict[str, list[tuple[str, str]]] = {}
        for pipeline in self.pipelines:
            for name, module in pipeline.modules.items():
                if module.pace is not None and module.pace.machine:
                    hosts.setdefault(module.pace.machine, []).append((pipeline.name, name))
        return {machine: tuple(guests) for machine, guests in hosts.items()}

    def to_frame(self) -> DataFrame:
        """One row per tuple: pipeline, module, hardware, batch, machines, rate_rps, latency_ms, cost_per_hour."""
        import pandas as pd

        return pd.DataFrame(self._records(), columns=list(_COLUMNS))

    def _records(self) -> Iterator[tuple[object, ...]]:
        for pipeline in self.pipelines:
            for name, module in pipeline.modules.items():
                for part, latency in zip(module.tuples, module.tuple_latencies, strict=True):
                    configuration = part.configuration
                    where = (pipeline.name, name, configuration.hardware, configuration.batch)
                    yield (*where, part.machines, part.rate, latency * 1e3, part.cost)


def machines_used(tuples: Iterable[DispatchTuple]) -> dict[str, float]:
    """Machines of every hardware type that ``tuples`` use, a residual by its fraction."""
    used: dict[str, float] = {}
    for part in tuples:
        hardware = part.configuration.hardware
        used[hardware] = used.get(hardware, 0.0) + part.machines
    return used
