"""Why an instance has no plan, or which path binds the plan it has, in domain words.

A module's latency comes as near as one likes to its shortest batch duration min d when machines are added, because
batches collect faster: under every policy but ``round-robin`` it is the infimum and is never attained. Under
``round-robin`` the smallest latency is 2 min d, and is attained. Without hardware limits a pipeline therefore has a
plan exactly when the longest path over these latencies, transfer times included, is below its SLO (at most its SLO
under ``round-robin``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.policies import Dispatch
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing
    from harpagon.solvers.result import Result

_STEP = 1e-4
"""Seconds to which a proposed SLO is rounded up: 0.1 ms."""

_SECONDS = 10.0
"""Time limit of each solve of an explanation."""


@dataclass(frozen=True, slots=True)
class PathReport:
    """The path of a pipeline that needs most time at the least.

    Attributes
    ----------
    pipeline
        Name.
    slo
        Seconds allowed.
    path
        Modules from source to sink.
    latencies
        Module name to its smallest reachable latency in seconds, for the modules of ``path``.
    transfer
        Seconds of transfer along ``path``.
    attained
        Whether the smallest latencies can be reached, or only approached by adding machines.
    """

    pipeline: str
    slo: float
    path: tuple[str, ...]
    latencies: Mapping[str, float]
    transfer: float
    attained: bool

    @property
    def reachable(self) -> float:
        """Smallest reachable latency of the path in seconds."""
        return sum(self.latencies.values()) + self.transfer

    @property
    def shortfall(self) -> float:
        """Seconds by which the smallest reachable latency passes the SLO; negative where it stays below."""
        return self.reachable - self.slo

    @property
    def feasible(self) -> bool:
        """Whether enough machines meet the SLO."""
        return self.shortfall <= TIME_TOLERANCE if self.attained else self.shortfall < 0

    @property
    def sufficient_slo(self) -> float:
        """Smallest SLO in whole steps of 0.1 ms that this path can meet, in seconds."""
        steps = self.reachable / _STEP
        whole = math.ceil(steps - 1e-6)
        return (whole if self.attained or whole - steps > 1e-6 else whole + 1) * _STEP


@dataclass(frozen=True, slots=True)
class Explanation:
    """Answer to "why is there no plan, or what binds?".

    Attributes
    ----------
    paths
        One report per pipeline.
    result
        The exact method on the instance as it stands.
    remedy
        Pipeline name to the smallest SLO in seconds, in steps of 0.1 ms, that makes the instance feasible; empty
        where it is feasible, or where another SLO does not help.
    remedied
        The exact method on the instance with ``remedy`` applied; None where there is no remedy.
    """

    paths: tuple[PathReport, ...]
    result: Result
    remedy: Mapping[str, float]
    remedied: Result | None

    @property
    def feasible(self) -> bool:
        """Whether a plan was found."""
        return self.result.plan is not None


def explain(instance: Instance, billing: Billing, dispatch: Dispatch) -> Explanation:
    """Explain an instance under one billing and one dispatch policy, with every claim re-checked by solving."""
    from harpagon.solvers.exact import solve_exact

    paths = tuple(path_report(pipeline_problem(instance, pipeline), dispatch) for pipeline in instance.pipelines)
    options = SolverOptions(time_limit=_SECONDS)
    result = solve_exact(instance, billing, dispatch, options)
    remedy = {report.pipeline: report.sufficient_slo for report in paths if not report.feasible}
    if result.plan is not None or not remedy:
        return Explanation(paths, result, {}, None)
    remedied = solve_exact(with_slos(instance, remedy), billing, dispatch, options)
    if remedied.termination is Termination.INFEASIBLE:
        return Explanation(paths, result, {}, None)
    return Explanation(paths, result, remedy, remedied)


def path_report(problem: PipelineProblem, dispatch: Dispatch) -> PathReport:
    """The longest path of a pipeline when every module takes its smallest reachable latency."""
    shortest = [min(c.duration for c in module.configurations) for module in problem.modules]
    latencies = [2 * d for d in shortest] if dispatch is Dispatch.ROUND_ROBIN else shortest
    path = tuple(problem.network.critical_path(latencies))
    by_name = dict(zip(problem.network.modules, latencies, strict=True))
    on_path = {name: by_name[name] for name in path}
    transfer = problem.network.length(latencies) - sum(on_path.values())
    return PathReport(problem.name, problem.slo, path, on_path, transfer, dispatch is Dispatch.ROUND_ROBIN)


def critical_paths(instance: Instance, plan: Plan) -> dict[str, list[str]]:
    """Pipeline name to the modules of its longest path in ``plan``."""
    paths = {}
    for pipeline, planned in zip(instance.pipelines, plan.pipelines, strict=True):
        network = pipeline_problem(instance, pipeline).network
        paths[pipeline.name] = network.critical_path([planned.modules[name].latency for name in network.modules])
    return paths


def with_slos(instance: Instance, slos: Mapping[str, float]) -> Instance:
    """The instance with other SLOs, in seconds by pipeline name."""
    pipelines = tuple(replace(p, slo=slos.get(p.name, p.slo)) for p in instance.pipelines)
    return replace(instance, pipelines=pipelines)
