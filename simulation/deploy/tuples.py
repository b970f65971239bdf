"""What a deployment needs to know of every tuple of a plan."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.graphs import PathNetwork

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import DispatchTuple, PipelinePlan, Plan

_CORES = re.compile(r"cpu-(\d+)")


@dataclass(frozen=True, slots=True)
class ServedTuple:
    """One tuple of one module as it is served.

    Attributes
    ----------
    pipeline, module, model
        Names in the instance.
    part
        Configuration and number of machines.
    rate
        Requests per second that the module receives.
    bound
        Seconds within which the plan answers a request of this tuple.
    start
        Seconds after its root request at which a request of the module counts as arrived.
    tuples
        Tuples of the module.
    """

    pipeline: str
    module: str
    model: str
    part: DispatchTuple
    rate: float
    bound: float
    start: float
    tuples: int

    @property
    def hardware(self) -> str:
        """Hardware type."""
        return self.part.configuration.hardware

    @property
    def batch(self) -> int:
        """Requests per batch, b."""
        return self.part.configuration.batch

    @property
    def is_capacity(self) -> bool:
        """Whether the machines make their own batches: no batch and no wait is theirs to be told."""
        return self.part.configuration.is_capacity

    @property
    def duration(self) -> float:
        """Seconds of one batch, d."""
        return self.part.configuration.duration

    @property
    def machines(self) -> int:
        """Whole machines, n."""
        return math.ceil(self.part.machines)

    @property
    def wait(self) -> int:
        """Microseconds a batch may wait for more requests, rounded down: the bound less the duration; 0 for batch 1."""
        return 0 if self.batch <= 1 else microseconds(max(0.0, self.bound - self.duration))

    @property
    def cores(self) -> int | None:
        """Cores of a hardware type that is a container, cpu-1, cpu-2, ...; None for a GPU."""
        found = _CORES.fullmatch(self.hardware)
        return int(found[1]) if found else None

    @property
    def label(self) -> str:
        """What tells the tuples of a module on one hardware type apart: the batch size, or the rate of a server."""
        return f"{self.part.configuration.capacity:g}rps" if self.is_capacity else f"b{self.batch}"

    @property
    def place(self) -> str:
        """Where it stands in the plan."""
        return f"pipelines.{self.pipeline}.modules.{self.module}"


def served_tuples(instance: Instance, plan: Plan) -> list[ServedTuple]:
    """Tuples of a checked plan, pipeline by pipeline, in topological order."""
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    return [part for pipeline in instance.pipelines for part in _of_pipeline(pipeline, planned[pipeline.name])]


def _of_pipeline(pipeline: Pipeline, plan: PipelinePlan) -> list[ServedTuple]:
    network = PathNetwork.from_graph(pipeline.graph)
    heads = network.heads([plan.modules[name].latency for name in network.modules])
    paces = [plan.modules[name].pace for name in network.modules]
    starts = [pace.start if pace else head for pace, head in zip(paces, heads, strict=True)]
    return [
        ServedTuple(
            pipeline=pipeline.name,
            module=name,
            model=pipeline.graph.nodes[name]["model"],
            part=part,
            rate=plan.modules[name].rate,
            bound=latency,
            start=start,
            tuples=len(plan.modules[name].tuples),
        )
        for name, start in zip(network.modules, starts, strict=True)
        for part, latency in zip(plan.modules[name].tuples, plan.modules[name].tuple_latencies, strict=True)
    ]


def microseconds(seconds: float) -> int:
    """Whole microseconds, rounded down; what floating point lost of a whole one (below 1e-6 of it) is given back."""
    return math.floor(round(seconds * 1e6, 6))


def slug(*names: str) -> str:
    """Names joined as targets allow them: lower case, digits and hyphens, at most 63 characters.

    Examples
    --------
    >>> slug("Traffic 1", "detect", "V100-16GB")
    'traffic-1-detect-v100-16gb'
    """
    text = "-".join(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in names)
    return text[:63].strip("-")
