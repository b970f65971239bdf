"""Hardware, profiles, pipelines: what a planning problem is given as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx

    from harpagon.instances.policies import Billing


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine type.

    Attributes
    ----------
    name
        Key of the type in the instance.
    price
        Dollars per hour of one machine.
    limit
        Machines available, shared by all pipelines of the instance; None for no limit.
    bundle
        Machines are sold only in multiples of this number, over all pipelines of the instance.
    memory_gb
        Gigabytes of memory of one machine; None where it is not given.
    """

    name: str
    price: float
    limit: int | None = None
    bundle: int = 1
    memory_gb: float | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A hardware type and a batch size with the profiled batch duration, or one point of a capacity profile.

    A capacity point says what one machine carries and at which latency, for models whose batching is their server's
    own. It has batch size 0: with b = 0 the formulas of `harpagon.formulations.physics` have no time for collection.

    Attributes
    ----------
    hardware
        Name of the hardware type.
    batch
        Requests per batch, b; 0 for a capacity point.
    duration
        Seconds to plan with for one batch on one machine, d: the largest stated quantile, or the mean where there is
        no other figure. Of a capacity point, the stated latency.
    price
        Dollars per hour of one machine, p.
    mean
        Seconds of one batch in the mean, what the throughput rests on; 0 (the default) becomes ``duration``.
    capacity
        Requests per second of one machine, given for a capacity point only.
    quantiles
        Stated quantiles of the batch duration as (share, seconds), ascending, such as ((0.5, 0.19), (0.99, 0.2)).
    memory_gb
        Gigabytes that the model takes on this hardware; None where it is not given.
    throughput
        Requests per second of one machine, t = b / mean, or the stated capacity.
    ratio
        Throughput-cost ratio, r = t / p.
    """

    hardware: str
    batch: int
    duration: float
    price: float
    mean: float = 0.0
    capacity: float | None = None
    quantiles: tuple[tuple[float, float], ...] = ()
    memory_gb: float | None = None
    throughput: float = field(init=False, compare=False)
    ratio: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not self.mean:
            object.__setattr__(self, "mean", self.duration)
        throughput = self.batch / self.mean if self.capacity is None else self.capacity
        object.__setattr__(self, "throughput", throughput)
        object.__setattr__(self, "ratio", throughput / self.price)

    @classmethod
    def measured(
        cls,
        hardware: str,
        batch: int,
        mean: float,
        price: float,
        quantiles: tuple[tuple[float, float], ...] = (),
        memory_gb: float | None = None,
    ) -> Configuration:
        """A profiled batch: plans take the largest stated quantile as duration and the mean as capacity."""
        duration = max(mean, *(seconds for _, seconds in quantiles)) if quantiles else mean
        return cls(hardware, batch, duration, price, mean, None, quantiles, memory_gb)

    @classmethod
    def of_capacity(
        cls, hardware: str, capacity: float, latency: float, price: float, memory_gb: float | None = None
    ) -> Configuration:
        """A capacity point: one machine carries ``capacity`` requests per second at ``latency`` seconds."""
        return cls(hardware, 0, latency, price, latency, capacity, (), memory_gb)

    @property
    def is_capacity(self) -> bool:
        """Whether this is a point of a capacity profile."""
        return self.capacity is not None

    def __str__(self) -> str:
        if self.capacity is not None:
            return f"{self.hardware} at {self.capacity:g}/s"
        return f"{self.hardware} b={self.batch}"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One application: a graph of modules with its load and its objective.

    Attributes
    ----------
    name
        Unique within the instance.
    rate
        Requests per second that enter at every source.
    slo
        Seconds allowed on every source-to-sink path.
    graph
        Nodes are module names with ``model`` (key of a profile) and ``join`` ("all" or "any"); edges carry
        ``fanout`` and ``transfer`` (seconds).
    burst
        At most burst + rate x requests enter in any window of x seconds.
    """

    name: str
    rate: float
    slo: float
    graph: nx.DiGraph
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Instance:
    """A planning problem: pipelines that share hardware types and profiles.

    Attributes
    ----------
    name
        Free text, used in reports.
    billing
        Default billing of the file.
    hardware
        Hardware name to type.
    profiles
        Model name to its configurations on all hardware types.
    pipelines
        At least one.
    description
        Free text: where the figures come from, which models are stand-ins.
    """

    name: str
    billing: Billing
    hardware: Mapping[str, Hardware]
    profiles: Mapping[str, tuple[Configuration, ...]]
    pipelines: tuple[Pipeline, ...]
    description: str = ""
