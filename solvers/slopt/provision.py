"""One planning step: demand envelopes and schedules that fit each other.

Envelopes depend on the schedules upstream, schedules on the envelopes. The step starts from the mean rates and
alternates, envelopes then schedules, until the schedules repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.slopt.cascade import cascade_envelopes, graph_fanouts, mean_envelopes
from harpagon.formulations.slopt.columns import ProvisioningProblem
from harpagon.formulations.slopt.envelope import Envelope
from harpagon.solvers.slopt.columns import Provisioning, solve_slopt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.formulations.slopt.columns import Column
    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.solvers.result import Solution

ROUNDS = 6
"""Most alternations; each ends with a valid plan for its envelopes."""
_NOTHING = Provisioning(())


@dataclass(frozen=True, slots=True)
class PlanningStep:
    """What a planning step found.

    Attributes
    ----------
    provisioning
        Columns for ``envelopes``, without columns where there is no plan.
    envelopes
        Demand of every module, as the schedules of the round before push it.
    budgets
        Seconds for every module: the columns' bounds, stretched to the SLO unless results are held back until then.
    rounds
        Alternations.
    settled
        Whether the schedules repeated, so that they fit their own envelopes.
    """

    provisioning: Provisioning
    envelopes: tuple[Envelope, ...]
    budgets: tuple[float, ...]
    rounds: int
    settled: bool


def provision(
    instance: Instance,
    pipeline: Pipeline,
    cascade: bool = True,
    paced: bool = False,
    solve: Callable[[ProvisioningProblem], Solution[Provisioning]] = solve_slopt,
) -> PlanningStep:
    """Plan one pipeline at its rate.

    Parameters
    ----------
    instance, pipeline
        What is served.
    cascade
        Whether demand is the cascade's envelopes; else rate x fan-out.
    paced
        Whether results are held back.
    solve
        Chooses the columns.
    """
    problem = pipeline_problem(instance, pipeline)
    fanouts = graph_fanouts(pipeline.graph)
    envelopes = mean_envelopes(pipeline.rate, pipeline.graph, problem.network, fanouts)
    seen: list[list[tuple[str, int, int]]] = []
    provisioning = solve(_problem(problem, envelopes)).plan or _NOTHING
    rounds = 1
    while cascade and provisioning.columns and rounds < ROUNDS and _signature(provisioning) not in seen:
        seen.append(_signature(provisioning))
        schedules = [
            column.schedule(shortest)
            for column, shortest in zip(
                provisioning.columns, shortest_batches(problem, provisioning.columns), strict=True
            )
        ]
        root = Envelope.of_process(pipeline.rate)
        envelopes = cascade_envelopes(root, pipeline.graph, problem.network, schedules, fanouts, paced)
        provisioning = solve(_problem(problem, envelopes)).plan or _NOTHING
        rounds += 1
    settled = not cascade or (bool(seen) and _signature(provisioning) in seen)
    budgets = tuple(column.latency for column in provisioning.columns) if paced else _stretched(problem, provisioning)
    return PlanningStep(provisioning, tuple(envelopes), budgets, rounds, settled)


def shortest_batches(problem: PipelineProblem, columns: Sequence[Column]) -> list[float]:
    """Seconds of the smallest batch on the hardware that each module uses."""
    return [
        min(c.duration for c in module.configurations if c.hardware == column.configuration.hardware)
        for module, column in zip(problem.modules, columns, strict=True)
    ]


def _problem(problem: PipelineProblem, envelopes: Sequence[Envelope]) -> ProvisioningProblem:
    return ProvisioningProblem(
        problem.network, problem.slo, tuple(envelopes), tuple(module.configurations for module in problem.modules)
    )


def _signature(provisioning: Provisioning) -> list[tuple[str, int, int]]:
    return [(c.configuration.hardware, c.configuration.batch, c.machines) for c in provisioning.columns]


def _stretched(problem: PipelineProblem, provisioning: Provisioning) -> tuple[float, ...]:
    latencies = [column.latency for column in provisioning.columns]
    if not latencies:
        return ()
    transfers = problem.network.length([0.0] * len(latencies))
    stretch = (problem.slo - transfers) / (problem.network.length(latencies) - transfers)
    return tuple(latency * max(1.0, stretch) for latency in latencies)
