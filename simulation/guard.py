"""Plans that keep the SLO to the last request: room on every path for what pacing and spacing may add.

The bounds of ``tc-safe`` and ``edf`` hold up to a small allowance where a module of several tuples has spare capacity,
and requests that fan-out or a join makes at once may have to be spaced (`harpagon.simulation.pacing`). In a guarded
plan all results leave by the SLO, these allowances included.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.assembly import assemble_plan, plan_pipeline
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.problem import pipeline_problem
from harpagon.graphs import PathNetwork
from harpagon.simulation.pacing import pipeline_paces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.planner import Planner

_ROUNDS = 20
Extras: TypeAlias = dict[tuple[str, str], float]
"""Seconds set aside for a (pipeline, module)."""


def guarded_plan(instance: Instance, planner: Planner) -> Plan | None:
    """Plan whose paths meet the SLO with all allowances.

    Plans, measures the allowances of the plan, sets them aside on the edges and plans again, until they suffice. The
    allowances depend on the plan, so the cost is not proven to be the least.

    Parameters
    ----------
    instance
        What to plan.
    planner
        Plans an instance under ``tc-safe`` or ``edf``.

    Returns
    -------
    Plan or None
        A plan of ``instance``; None where the planner finds none, or allowances still grow after `_ROUNDS` rounds.
    """
    extras: Extras = {}
    for _ in range(_ROUNDS):
        found = planner(_tightened(instance, extras))
        if found is None:
            return None
        plan = _restated(instance, found)
        if all(
            slack(pipeline, planned, plan.dispatch) >= -TIME_TOLERANCE
            for pipeline, planned in zip(instance.pipelines, plan.pipelines, strict=True)
        ):
            return plan
        for key, seconds in _extras(instance, plan).items():
            extras[key] = max(extras.get(key, 0.0), seconds)
    return None


def path_allowance(pipeline: Pipeline, plan: PipelinePlan, dispatch: Dispatch) -> float:
    """Seconds by which the results of a paced plan may pass its longest path."""
    return max(0.0, _latest(pipeline, plan, dispatch) - plan.latency)


def slack(pipeline: Pipeline, plan: PipelinePlan, dispatch: Dispatch) -> float:
    """Seconds between the last result of a paced plan and the SLO; negative where it may be missed."""
    return pipeline.slo - _latest(pipeline, plan, dispatch)


def _latest(pipeline: Pipeline, plan: PipelinePlan, dispatch: Dispatch) -> float:
    return max(pace.departure for pace in pipeline_paces(pipeline, plan, dispatch))


def _extras(instance: Instance, plan: Plan) -> Extras:
    return {
        (pipeline.name, name): max(0.0, pace.departure - pace.arrival - planned.modules[name].latency)
        for pipeline, planned in zip(instance.pipelines, plan.pipelines, strict=True)
        for name, pace in zip(
            PathNetwork.from_graph(pipeline.graph).modules,
            pipeline_paces(pipeline, planned, plan.dispatch),
            strict=True,
        )
    }


def _tightened(instance: Instance, extras: Extras) -> Instance:
    return replace(instance, pipelines=tuple(_tightened_pipeline(pipeline, extras) for pipeline in instance.pipelines))


def _tightened_pipeline(pipeline: Pipeline, extras: Extras) -> Pipeline:
    """The pipeline with each module's extra on its incoming edges, and the largest of the sources' off the SLO."""
    graph = pipeline.graph.copy()
    for _, head, data in graph.edges(data=True):
        data["transfer"] = data.get("transfer", 0.0) + extras.get((pipeline.name, head), 0.0)
    sources = [name for name, degree in graph.in_degree() if degree == 0]
    entry = max(extras.get((pipeline.name, name), 0.0) for name in sources)
    return replace(pipeline, slo=pipeline.slo - entry, graph=graph)


def _restated(instance: Instance, plan: Plan) -> Plan:
    """The same schedules as a plan of ``instance``."""
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    pipelines: Sequence[PipelinePlan] = [
        _restated_pipeline(instance, pipeline, planned[pipeline.name], plan) for pipeline in instance.pipelines
    ]
    return assemble_plan(instance, plan.billing, plan.dispatch, pipelines)


def _restated_pipeline(instance: Instance, pipeline: Pipeline, planned: PipelinePlan, plan: Plan) -> PipelinePlan:
    problem = pipeline_problem(instance, pipeline)
    return plan_pipeline(problem, [planned.modules[module.name].tuples for module in problem.modules], plan.dispatch)
