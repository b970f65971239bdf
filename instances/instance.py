"""Hardware, profiles, pipelines: what a planning problem is given as."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import networkx as nx

from harpagon.graphs import GraphError, propagate_rates, validate_pipeline_graph
from harpagon.instances import checks
from harpagon.instances.checks import LEAST, MOST, Checks, settle
from harpagon.instances.errors import shown, suggestion
from harpagon.instances.figures import figure
from harpagon.instances.frozen import FrozenGraph, FrozenMapping, canonical
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from harpagon.instances.errors import Place

_MOST_TRANSFER = 1e9
"""Seconds of the longest transfer."""
_RATE_RANGE = (1e-9, 1e12)
"""Requests per second that fan-outs may lead to: quotients and products stay finite and exact enough."""
_NODE_KEYS = ("model", "join")
_NODE_DEFAULTS = {"join": "all"}
_EDGE_DEFAULTS = {"fanout": 1.0, "transfer": 0.0}
_JOINS = ("all", "any")


def _check_seconds(check: Checks, place: Place, value: float) -> None:
    """The range of files, which is in milliseconds."""
    check.number(place, value, LEAST / 1e3, MOST / 1e3)


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

    def __post_init__(self) -> None:
        check = Checks(f"hardware {self.name}")
        check.name(("name",), self.name)
        check.number(("price",), self.price, LEAST, MOST)
        if self.limit is not None:
            check.count(("limit",), self.limit, 0, checks.MOST_COUNT)
        check.count(("bundle",), self.bundle, 1, checks.LARGEST_BATCH)
        if self.memory_gb is not None:
            check.number(("memory_gb",), self.memory_gb, LEAST, MOST)
        settle(self, "price", "limit", "bundle", "memory_gb")

    @property
    def available(self) -> int | None:
        """Machines of the whole bundles within the limit; None for no limit."""
        return None if self.limit is None else self.limit - self.limit % self.bundle

    def idle(self, used: float) -> float:
        """Machines bought and not used beside ``used`` ones, since only whole bundles are sold; 0 without bundles."""
        return -used % self.bundle if self.bundle > 1 else 0.0


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
        self._check()
        settle(self, "batch", "duration", "price", "mean", "capacity", "memory_gb")
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

    def _check(self) -> None:
        check = Checks(f"configuration {self.hardware} b={shown(self.batch)}")
        check.name(("hardware",), self.hardware)
        if self.capacity is None:
            check.count(("batch",), self.batch, 1, checks.LARGEST_BATCH)
        else:
            check.count(("batch",), self.batch, 0, 0)
            check.number(("capacity",), self.capacity, LEAST, MOST)
        _check_seconds(check, ("duration",), self.duration)
        check.number(("price",), self.price, LEAST, MOST)
        if self.mean:
            check.number(("mean",), self.mean, LEAST / 1e3, self.duration)

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
        ``fanout`` and ``transfer`` (seconds). A copy is kept, which cannot be changed
        and has every default filled in.
    burst
        At most burst + rate x requests enter in any window of x seconds.
    spare
        Machines of every module that may be lost without a result that is late.
    """

    name: str
    rate: float
    slo: float
    graph: nx.DiGraph
    burst: int = 1
    spare: int = 0

    def __post_init__(self) -> None:
        check = Checks(f"pipeline {self.name}")
        check.name(("name",), self.name)
        check.number(("rate",), self.rate, LEAST, MOST)
        _check_seconds(check, ("slo",), self.slo)
        check.count(("burst",), self.burst, 1, checks.LARGEST_BATCH)
        check.count(("spare",), self.spare, 0, checks.LARGEST_BATCH)
        settle(self, "rate", "slo", "burst", "spare")
        if not isinstance(self.graph, FrozenGraph):
            _check_graph(check, self.graph)
            object.__setattr__(self, "graph", FrozenGraph(self.graph, _NODE_DEFAULTS, _EDGE_DEFAULTS))
        _check_rates(check, self.graph, self.rate)


def _check_graph(check: Checks, graph: nx.DiGraph) -> None:
    """Refuse what a file could not hold: modules without a model, unknown attributes, loops and cycles."""
    if not (isinstance(graph, nx.DiGraph) and not graph.is_multigraph()):
        check.refuse(("graph",), f"must be a networkx.DiGraph, found {shown(graph)}", "Give a networkx.DiGraph")
    check.filled(("modules",), graph.nodes)
    for name, data in graph.nodes(data=True):
        place: Place = ("modules", str(name))
        check.name(place, name)
        check.keys(place, data, _NODE_KEYS)
        if "model" not in data:
            check.refuse((*place, "model"), "is missing", "Add it: the name of a profile")
        check.name((*place, "model"), data["model"])
        check.word((*place, "join"), data.get("join", "all"), _JOINS)
    for tail, head, data in graph.edges(data=True):
        place = ("edges", f"{tail} -> {head}")
        check.keys(place, data, _EDGE_DEFAULTS)
        check.number((*place, "fanout"), data.get("fanout", 1.0), LEAST, MOST)
        check.number((*place, "transfer"), data.get("transfer", 0.0), 0.0, _MOST_TRANSFER)
        if tail == head:
            check.refuse(place, *checks.loop_words(tail))
    try:
        validate_pipeline_graph(graph)
    except GraphError as error:
        check.refuse(("edges",), str(error), "Remove one edge of the cycle")


def _check_rates(check: Checks, graph: nx.DiGraph, rate: float) -> None:
    low, high = _RATE_RANGE
    for name, found in propagate_rates(graph, rate).items():
        if not low <= found <= high:
            problem = f"fan-outs bring its request rate to {figure(found, 6)} req/s"
            check.refuse(("modules", name), problem, f"Stay between {low:g} and {high:g}")


@dataclass(frozen=True, slots=True)
class Instance:
    """A planning problem: pipelines that share hardware types and profiles.

    It cannot be changed; `dataclasses.replace` makes another. Equal instances, the description aside, have equal
    digests.

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
    description: str = field(default="", compare=False)
    _digest: str = field(default="", init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        check = Checks(f"instance {self.name}")
        check.name(("name",), self.name)
        check.word(("billing",), self.billing, tuple(Billing))
        object.__setattr__(self, "billing", Billing(self.billing))
        check.filled(("hardware",), self.hardware)
        _check_hardware(check, self.hardware)
        check.filled(("profiles",), self.profiles)
        for model, profile in self.profiles.items():
            _check_profile(check, model, profile, self.hardware)
        _check_pipelines(check, self.pipelines, self.profiles)
        object.__setattr__(self, "hardware", FrozenMapping(self.hardware))
        object.__setattr__(self, "profiles", FrozenMapping({m: tuple(p) for m, p in self.profiles.items()}))
        object.__setattr__(self, "pipelines", tuple(self.pipelines))

    @property
    def models(self) -> tuple[str, ...]:
        """Models of the modules, in the order of the pipelines; a profile may be of none of them."""
        used = (data["model"] for pipeline in self.pipelines for _, data in pipeline.graph.nodes(data=True))
        return tuple(dict.fromkeys(used))

    def with_spare(self, machines: int) -> Instance:
        """The same with at least so many machines of every module that may be lost."""
        if not machines:
            return self
        pipelines = tuple(replace(pipeline, spare=max(pipeline.spare, machines)) for pipeline in self.pipelines)
        return replace(self, pipelines=pipelines)

    def digest(self) -> str:
        """``sha256:`` and the hash of all that a plan depends on, the same in every process and key order."""
        if not self._digest:
            text = json.dumps(canonical(self), ensure_ascii=True, separators=(",", ":"))
            object.__setattr__(self, "_digest", "sha256:" + hashlib.sha256(text.encode()).hexdigest())
        return self._digest


def _check_hardware(check: Checks, hardware: Mapping[str, Hardware]) -> None:
    for name, item in hardware.items():
        check.kind(("hardware", str(name)), item, Hardware)
        if item.name != name:
            check.refuse(("hardware", str(name)), f"its type is called {shown(item.name)}", "Give both the same name")


def _check_profile(
    check: Checks, model: str, profile: tuple[Configuration, ...], hardware: Mapping[str, Hardware]
) -> None:
    check.name(("profiles", str(model)), model)
    check.listed(("profiles", model), profile)
    seen: set[tuple[str, int, float | None]] = set()
    for configuration in profile:
        check.kind(("profiles", model), configuration, Configuration)
        name = configuration.hardware
        if name not in hardware:
            check.refuse(("profiles", model, name), "unknown hardware", suggestion(name, hardware))
        if configuration.price != hardware[name].price:
            problem = f"{configuration} is priced {configuration.price:g}, its hardware {hardware[name].price:g}"
            check.refuse(("profiles", model, name), problem, "Give a configuration the price of its hardware")
        key = (name, configuration.batch, configuration.capacity)
        if key in seen:
            check.refuse(("profiles", model, name), *(checks.RATE_TWICE if key[2] else checks.BATCH_TWICE))
        seen.add(key)


def _check_pipelines(
    check: Checks, pipelines: tuple[Pipeline, ...], profiles: Mapping[str, tuple[Configuration, ...]]
) -> None:
    check.listed(("pipelines",), pipelines)
    seen: set[str] = set()
    for position, pipeline in enumerate(pipelines):
        check.kind(("pipelines", position), pipeline, Pipeline)
        if pipeline.name in seen:
            problem = f"a second pipeline is called {shown(pipeline.name)}"
            check.refuse(("pipelines", position, "name"), problem, "Rename one")
        seen.add(pipeline.name)
        for name, data in pipeline.graph.nodes(data=True):
            if data["model"] not in profiles:
                problem = f"there is no profile of {shown(data['model'])}"
                place: Place = ("pipelines", position, "modules", name, "model")
                check.refuse(place, problem, suggestion(data["model"], profiles))
