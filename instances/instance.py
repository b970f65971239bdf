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
    """

    name: str
    price: float
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A hardware type and a batch size, with the profiled batch duration.

    Attributes
    ----------
    hardware
        Name of the hardware type.
    batch
        Requests per batch, b.
    duration
        Seconds one machine takes for one batch, d.
    price
        Dollars per hour of one machine, p.
    throughput
        Requests per second of one machine, t = b / d.
    ratio
        Throughput-cost ratio, r = t / p.
    """

    hardware: str
    batch: int
    duration: float
    price: float
    throughput: float = field(init=False, compare=False)
    ratio: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "throughput", self.batch / self.duration)
        object.__setattr__(self, "ratio", self.throughput / self.price)

    def __str__(self) -> str:
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
    """

    name: str
    rate: float
    slo: float
    graph: nx.DiGraph


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
