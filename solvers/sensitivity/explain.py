"""Why an instance has no plan and what would give it one, or what binds the plan it has, in domain words.

A module's latency comes as near as one likes to its shortest batch duration min d when machines are added, because
batches collect faster: under most policies it is the infimum and is never attained. Under ``paced`` enough machines
attain it, under ``round-robin`` 2 min d. Without hardware limits a pipeline therefore has a
plan exactly when the longest path over these latencies, transfer times included, is below its SLO (at most its SLO
under ``round-robin``). Where every path could meet its SLO and there is still no plan, the hardware limits bind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import reaches_smallest, smallest_latency
from harpagon.formulations.physics import TIME_TOLERANCE, keeps_streams
from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.residual import has_curves
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError, has_limits
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.changes import single_changes
from harpagon.solvers.sensitivity.remedies import Prober, find_remedy, with_practical
from harpagon.solvers.sensitivity.worth import worths_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.result import Result
    from harpagon.solvers.sensitivity.changes import Change
    from harpagon.solvers.sensitivity.remedies import Remedy
    from harpagon.solvers.sensitivity.worth import Worth

SECONDS = 10.0
"""Time for all solves of an explanation, unless another is given."""
_MOST_PATHS = 10
"""Critical paths listed per pipeline."""


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
        margin = 0.0 if self.attained else 2 * TIME_TOLERANCE * len(self.path)
        return self.shortfall + margin <= TIME_TOLERANCE / 2


@dataclass(frozen=True, slots=True)
class Explanation:
    """Answer to "why is there no plan, or what binds?".

    Attributes
    ----------
    paths
        One report per pipeline.
    result
        The exact method on the instance as it stands.
    remedies
        Where there is no plan: each single change that gives one, by its smallest number of steps.
    worths
        Where there is a plan: what one more millisecond, 1 % less rate and one more machine save.
    complete
        Whether the time sufficed for all of it.
    """

    paths: tuple[PathReport, ...]
    result: Result
    remedies: tuple[Remedy, ...] = ()
    worths: tuple[Worth, ...] = ()
    complete: bool = True

    @property
    def feasible(self) -> bool:
        """Whether a plan was found."""
        return self.result.plan is not None

    @property
    def moves_in_steps(self) -> bool:
        """Whether cost stands still between one schedule and the next: it does but where residuals follow."""
        plan = self.result.plan
        return plan is None or not has_curves(plan.billing, plan.dispatch)


def explain(instance: Instance, billing: Billing, dispatch: Dispatch, seconds: float = SECONDS) -> Explanation:
    """Explain an instance under one billing and one dispatch policy, with every claim checked by solving.

    Parameters
    ----------
    instance
        What to explain.
    billing, dispatch
        Rules of the plan.
    seconds
        Time for all solves together; what does not fit is left out, and the explanation says so.
    """
    paths = tuple(path_report(pipeline_problem(instance, pipeline), dispatch) for pipeline in instance.pipelines)
    prober = Prober(billing, dispatch, time.perf_counter() + seconds)
    result = prober.solve(instance, share=1.0)
    if result.plan is not None:
        if result.termination is not Termination.OPTIMAL:
            return Explanation(paths, result, complete=False)
        worths, complete = worths_of(instance, result.plan, prober)
        return Explanation(paths, result, worths=worths, complete=complete)
    remedies: list[Remedy] = []
    kinds = single_changes(instance)
    for number, (alone, together) in enumerate(kinds):
        part = prober.part(1 / (len(kinds) + 1 - number))
        remedies += _remedies(instance, alone, together, part)
        prober.undecided |= part.undecided
    remedies = [with_practical(instance, remedy, prober) for remedy in remedies]
    return Explanation(paths, result, remedies=tuple(remedies), complete=not prober.undecided)


def find_explanation(
    instance: Instance, billing: Billing, asked: Dispatch | None, usual: Dispatch, seconds: float = SECONDS
) -> Explanation:
    """Explanation under the policy ``asked`` for, else under the ``usual`` one.

    Without hardware limits, whether there is a plan and what gives one are the same under all batch-aware policies.
    Near the smallest latency it is found soonest under ``tc``, so that is tried first. Shared machines know ``paced``
    alone.

    Raises
    ------
    UnsupportedError
        For ``shared`` billing under another policy than ``paced``.
    """
    if billing is Billing.SHARED:
        if asked is not None and not keeps_streams(asked):
            raise UnsupportedError("exact", f"shared billing under {asked} dispatch (paced plans for it)", ())
        return explain(instance, billing, Dispatch.PACED, seconds)
    if asked is not None or has_limits(instance) or keeps_streams(usual):
        return explain(instance, billing, asked or usual, seconds)
    quickest = Dispatch.TC
    explanation = explain(instance, billing, quickest, seconds)
    if explanation.feasible and usual is not quickest:
        return explain(instance, billing, usual, seconds)
    return explanation


def _remedies(instance: Instance, alone: list[Change], together: Change | None, prober: Prober) -> list[Remedy]:
    """Remedies of one kind: by one target, or by all together where no one target helps."""
    found = [find_remedy(instance, change, prober) for change in alone]
    if together is not None and not any(found):
        found.append(find_remedy(instance, together, prober))
    return [remedy for remedy in found if remedy is not None]


def path_report(problem: PipelineProblem, dispatch: Dispatch) -> PathReport:
    """The longest path of a pipeline when every module takes its smallest reachable latency."""
    latencies = [smallest_latency(module, dispatch) for module in problem.modules]
    path = tuple(problem.network.critical_path(latencies))
    by_name = dict(zip(problem.network.modules, latencies, strict=True))
    on_path = {name: by_name[name] for name in path}
    transfer = problem.network.length(latencies) - sum(on_path.values())
    attained = all(reaches_smallest(module, dispatch) for module in problem.modules if module.name in on_path)
    return PathReport(problem.name, problem.slo, path, on_path, transfer, attained)


def critical_paths(instance: Instance, plan: Plan) -> dict[str, list[list[str]]]:
    """Pipeline name to its longest paths in ``plan``, each a list of modules; at most ten per pipeline."""
    return {
        planned.name: _longest_paths(pipeline_problem(instance, pipeline), planned.modules)
        for pipeline, planned in zip(instance.pipelines, plan.pipelines, strict=True)
    }


def _longest_paths(problem: PipelineProblem, planned: Mapping[str, object]) -> list[list[str]]:
    network = problem.network
    latencies = [planned[name].latency for name in network.modules]  # type: ignore[attr-defined]
    tails = network.tails(latencies)
    rest = [latency + tail for latency, tail in zip(latencies, tails, strict=True)]
    longest = max(rest[i] for i in network.sources)
    stack = [[i] for i in reversed(network.sources) if rest[i] >= longest - TIME_TOLERANCE]
    found: list[list[str]] = []
    while stack and len(found) < _MOST_PATHS:
        path = stack.pop()
        nexts = [j for j, t in network.successors[path[-1]] if t + rest[j] >= tails[path[-1]] - TIME_TOLERANCE]
        if not network.successors[path[-1]]:
            found.append([network.modules[i] for i in path])
        stack.extend([*path, j] for j in reversed(nexts))
    return found


def limit_use(instance: Instance, plan: Plan) -> dict[str, tuple[float, int]]:
    """Hardware type with a limit to the machines in use and the limit."""
    used = plan.usage()
    return {name: (used.get(name, 0.0), h.limit) for name, h in instance.hardware.items() if h.limit is not None}
