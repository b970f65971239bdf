"""The hindsight optimum of a generated or recorded trace: the yardstick of the online systems."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.slopt.cascade import cascade_envelopes, graph_fanouts
from harpagon.formulations.slopt.envelope import Envelope
from harpagon.formulations.slopt.hindsight import HindsightProblem
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.slopt.engine import Assignment
from harpagon.simulation.slopt.run import (
    NoPlanError,
    SystemOptions,
    plan_reference,
    reference_rate,
    run_controller,
    trace_arrivals,
)
from harpagon.solvers.slopt.hindsight import solve_hindsight
from harpagon.solvers.slopt.provision import shortest_batches

if TYPE_CHECKING:
    from harpagon.formulations.slopt.hindsight import Choice
    from harpagon.instances.instance import Instance
    from harpagon.simulation.slopt.engine import Observation
    from harpagon.simulation.slopt.report import SloptRun
    from harpagon.simulation.slopt.tuning import TuningOptions
    from harpagon.simulation.slopt.workload import Workload
    from harpagon.solvers.result import Solution
    from harpagon.solvers.slopt.hindsight import Hindsight
    from harpagon.solvers.slopt.provision import PlanningStep

OVERLAP = 0.5
"""Seconds by which a period's envelope looks beyond the period on either side, so that bursts across the edge count."""


def hindsight_problem(
    instance: Instance, workload: Workload, arrivals: np.ndarray, step: PlanningStep, period: float, startup: float
) -> HindsightProblem:
    """Problem of a trace whose arrivals are known.

    Parameters
    ----------
    instance
        Its first pipeline is served.
    workload, arrivals
        Fan-out factors, and the arrival times of the root in seconds.
    step
        Reference plan, through whose schedules the measured root envelopes are pushed.
    period, startup
        Seconds.
    """
    pipeline = instance.pipelines[0]
    problem = pipeline_problem(instance, pipeline)
    columns = step.provisioning.columns
    schedules = [c.schedule(least) for c, least in zip(columns, shortest_batches(problem, columns), strict=True)]
    demand = []
    for begin in np.arange(0.0, workload.duration, period):
        low, high = max(0.0, begin - OVERLAP), min(float(workload.duration), begin + period + OVERLAP)
        window = arrivals[np.searchsorted(arrivals, low) : np.searchsorted(arrivals, high)]
        factor = float(workload.fanout_factors[min(int(begin), workload.duration - 1)])
        fanouts = {
            edge: fanout * (1.0 if pipeline.graph.in_degree(edge[0]) else factor)
            for edge, fanout in graph_fanouts(pipeline.graph).items()
        }
        root = Envelope.measured(window, high - low)
        demand.append(cascade_envelopes(root, pipeline.graph, problem.network, schedules, fanouts))
    return HindsightProblem(
        problem.network,
        pipeline.slo,
        tuple(tuple(period_demand[m] for period_demand in demand) for m in range(len(columns))),
        tuple(module.configurations for module in problem.modules),
        period,
        startup,
    )


class Replay:
    """Controller that makes the machine changes of a hindsight optimum, each in time for its period.

    Parameters
    ----------
    hindsight
        The optimum.
    options
        Period and start-up time.
    """

    def __init__(self, hindsight: Hindsight, options: TuningOptions) -> None:
        self.options = options
        self.envelopes: list[Envelope] = []
        self.band = None
        self.assignments = [Assignment(c.configuration, int(n[0]), c.budget) for c, n in _modules(hindsight)]
        self._machines = hindsight.machines
        self._lead = math.ceil(options.startup / options.period - 1e-9)

    def begin(self, rate: float) -> list[int]:
        """Machines that the first periods need, as far as those started at time 0 would come too late."""
        return [int(machines[: self._lead].max()) for machines in self._machines]

    def decide(self, observation: Observation) -> list[int]:
        """Machines that are needed until those of the next decision are ready."""
        k = min(round(observation.end / self.options.period), self._machines[0].size - 1)
        return [int(machines[k : k + self._lead + 1].max()) for machines in self._machines]


def run_hindsight(
    instance: Instance, workload: Workload, seed: int, options: TuningOptions, step: PlanningStep | None = None
) -> tuple[Solution[Hindsight], SloptRun]:
    """The optimum of a trace, and what it comes to when it is run without drops.

    The optimum knows no limit of the fleet: where the run's `most_machines` are within it, it is that of the fleet too.

    Parameters
    ----------
    instance, workload, seed
        As in `harpagon.simulation.slopt.run.run_slopt`.
    options
        Period and start-up time.
    step
        Reference plan, through whose schedules envelopes are pushed; None for that of SLOpt.

    Raises
    ------
    NoPlanError
        Where there is no plan.
    """
    step = step or plan_reference(instance, reference_rate(workload), SystemOptions(options))
    arrivals = trace_arrivals(workload, seed)
    optimum = solve_hindsight(hindsight_problem(instance, workload, arrivals, step, options.period, options.startup))
    if optimum.plan is None:
        raise NoPlanError(f"{instance.name}: no machines meet the SLO in hindsight")
    replay = Replay(optimum.plan, options)
    return optimum, run_controller(instance, workload, replay.assignments, replay, Drop.NONE, seed)


def _modules(hindsight: Hindsight) -> list[tuple[Choice, np.ndarray]]:
    return list(zip(hindsight.choices, hindsight.machines, strict=True))
