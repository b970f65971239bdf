"""Pipelines and plans for the tests of the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
from hypothesis import strategies as st

from harpagon.formulations.assembly import assemble_plan, plan_module, plan_pipeline
from harpagon.formulations.paced import Stream
from harpagon.formulations.problem import ModuleProblem, pipeline_problem
from harpagon.formulations.waves import Wave
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.plan import DispatchTuple, ModulePlan, Plan
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SMALL, MIDDLE, LARGE = (Configuration("gpu", b, d, 1.0) for b, d in ((2, 0.1), (8, 0.25), (32, 0.8)))
WORKED_SCHEDULE = (DispatchTuple.full(LARGE, 4), DispatchTuple.full(MIDDLE, 1), DispatchTuple.residual(SMALL, 6.0))
ROUNDING = 1e-6
"""Seconds: sums of clock times round."""


def module_plan(schedule: Sequence[DispatchTuple], dispatch: Dispatch, rate: float | None = None) -> ModulePlan:
    """Plan of one module at ``rate``, its full rate where None."""
    rate = sum(part.rate for part in schedule) if rate is None else rate
    configurations = tuple(dict.fromkeys(part.configuration for part in schedule))
    stream = Stream(rate * (1 - 1e-12), Wave())
    return plan_module(ModuleProblem("module", rate, configurations, stream), schedule, dispatch)


def pipeline_plan(
    graph: nx.DiGraph,
    rate: float,
    schedules: Mapping[str, Sequence[DispatchTuple]],
    dispatch: Dispatch,
    slo: float = 100.0,
    burst: int = 1,
) -> tuple[Instance, Plan]:
    """An instance with one pipeline of this graph, and its plan with these schedules."""
    for name in graph:
        graph.nodes[name].setdefault("model", name)
        graph.nodes[name].setdefault("join", "all")
    profiles = {
        name: tuple(dict.fromkeys(part.configuration for part in schedule)) for name, schedule in schedules.items()
    }
    hardware = {c.hardware: Hardware(c.hardware, c.price) for profile in profiles.values() for c in profile}
    pipeline = Pipeline("pipeline", rate, slo, graph, burst)
    instance = Instance("test", Billing.WHOLE, hardware, profiles, (pipeline,))
    problem = pipeline_problem(instance, pipeline)
    planned = plan_pipeline(problem, [schedules[module.name] for module in problem.modules], dispatch)
    return instance, assemble_plan(instance, Billing.WHOLE, dispatch, [planned])


configurations = st.builds(
    lambda batch, duration, price: Configuration(f"gpu-{duration!r}-{price!r}", batch, duration, price),
    st.sampled_from([1, 2, 3, 4, 8, 16, 32]),
    st.floats(0.01, 1.0),
    st.floats(0.5, 4.0),
)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[DispatchTuple, ...]:
    """One to four tuples in ``tc`` order, the last one a residual now and then."""
    chosen = draw(st.lists(configurations, min_size=1, max_size=4, unique_by=lambda c: (c.batch, c.ratio)))
    chosen.sort(key=lambda c: (-c.ratio, -c.batch))
    parts = [DispatchTuple.full(c, draw(st.integers(1, 5))) for c in chosen]
    if draw(st.booleans()):
        residual = draw(configurations)
        parts.append(DispatchTuple.residual(residual, draw(st.floats(0.05, 0.95)) * residual.throughput))
    return tuple(parts)


@st.composite
def covering_schedules(draw: st.DrawFn, rate: float, exact: bool) -> tuple[DispatchTuple, ...]:
    """One to three tuples whose rates make up ``rate``: exactly, with a residual, or with spare capacity."""
    chosen = draw(st.lists(configurations, min_size=1, max_size=3, unique_by=lambda c: (c.batch, c.ratio)))
    chosen.sort(key=lambda c: (-c.ratio, -c.batch))
    parts: list[DispatchTuple] = []
    left = rate
    for c in chosen:
        machines = int(left / c.throughput)
        if machines:
            parts.append(DispatchTuple.full(c, draw(st.integers(1, machines))))
            left -= parts[-1].rate
    last = chosen[-1]
    if left > 1e-6 * rate:
        machines = int(left / last.throughput)
        previous = 0
        if parts and parts[-1].configuration == last:
            previous = int(parts.pop().machines)
        if exact:
            if previous + machines:
                parts.append(DispatchTuple.full(last, previous + machines))
            rest = left - machines * last.throughput
            if rest > 1e-6 * rate:
                parts.append(DispatchTuple.residual(last, rest))
        else:
            parts.append(DispatchTuple.full(last, previous + machines + 1))
    return tuple(parts)
