"""A trace through SLOpt: estimation, provisioning, tuning and execution, each with its baselines."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from harpagon.formulations.problem import pipeline_problem
from harpagon.heuristics.slopt import plan_slopt
from harpagon.instances.figures import figure
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.order import Order
from harpagon.simulation.slopt.engine import Assignment, Execution
from harpagon.simulation.slopt.report import ModuleCounts, PeriodRecord, SloptRun
from harpagon.simulation.slopt.stages import Estimation, Provisioner, Tuning
from harpagon.simulation.slopt.tuning import Tuner, TuningOptions
from harpagon.solvers.result import Solution, SolverInfo, Termination
from harpagon.solvers.slopt.columns import Provisioning, solve_slopt, solve_slopt_pyomo
from harpagon.solvers.slopt.provision import provision, shortest_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.formulations.slopt.columns import ProvisioningProblem
    from harpagon.formulations.slopt.envelope import Envelope
    from harpagon.instances.instance import Instance
    from harpagon.simulation.flow.drop import DropRule
    from harpagon.simulation.slopt.engine import Observation
    from harpagon.simulation.slopt.workload import Workload
    from harpagon.solvers.slopt.provision import PlanningStep


Solve: TypeAlias = "Callable[[ProvisioningProblem], Solution[Provisioning]]"


class NoPlanError(RuntimeError):
    """There are no machines with which the pipeline meets its SLO under its demand."""


@dataclass(frozen=True, slots=True)
class SystemOptions:
    """One system: its stages.

    Attributes
    ----------
    tuning
        Estimation, tuning, headroom, start-up time, fleet and pacing.
    drop
        Drop policy.
    solve
        Chooses configurations and budgets at the reference rate.
    """

    tuning: TuningOptions = field(default_factory=TuningOptions)
    drop: Drop = Drop.ADAPTIVE
    solve: Solve = solve_slopt


def _greedy(problem: ProvisioningProblem) -> Solution[Provisioning]:
    started = time.perf_counter()
    columns = plan_slopt(problem)
    plan = None if columns is None else Provisioning(columns)
    termination = Termination.LIMIT if plan is None else Termination.FEASIBLE
    info = SolverInfo("slopt-greedy", version("harpagon"))
    return Solution("slopt-greedy", termination, plan, -math.inf, 0.0, time.perf_counter() - started, info)


SOLVERS: dict[Provisioner, Solve] = {
    Provisioner.EXACT: solve_slopt,
    Provisioner.PYOMO: solve_slopt_pyomo,
    Provisioner.GREEDY: _greedy,
}
"""What can choose configurations and budgets."""


BASELINE_DROPS = (Drop.NONE, Drop.LATE, Drop.EARLY, Drop.PROACTIVE)


def stage_swaps(options: SystemOptions, drops: Sequence[Drop] = BASELINE_DROPS) -> dict[str, SystemOptions]:
    """A system with one stage after the other swapped for its baselines."""
    estimations = (Estimation.FANOUT, Estimation.LAST, Estimation.EWMA, Estimation.PEAK)
    swapped = {f"estimation {e}": replace(options, tuning=replace(options.tuning, estimation=e)) for e in estimations}
    swapped["tuning reactive"] = replace(options, tuning=replace(options.tuning, tuning=Tuning.REACTIVE))
    return swapped | {f"drop {drop}": replace(options, drop=drop) for drop in drops}


DRAIN = 5.0
"""Seconds after the last arrival for which the run goes on."""


def plan_reference(instance: Instance, rate: float, options: SystemOptions) -> PlanningStep:
    """Configurations and budgets of the first pipeline at ``rate`` requests per second.

    Raises
    ------
    NoPlanError
        Where no machines meet the SLO.
    """
    pipeline = replace(instance.pipelines[0], rate=rate)
    cascade = options.tuning.estimation is Estimation.CASCADE
    step = provision(instance, pipeline, cascade, options.tuning.paced, options.solve)
    if not step.provisioning.columns:
        raise NoPlanError(f"{instance.name}: no machines meet {pipeline.slo * 1e3:g} ms at {figure(rate, 6)} req/s")
    return step


def run_slopt(
    instance: Instance,
    workload: Workload,
    options: SystemOptions,
    seed: int,
    step: PlanningStep | None = None,
    history: Sequence[Workload] = (),
) -> SloptRun:
    """Serve a trace with the first pipeline of an instance.

    Parameters
    ----------
    instance
        Pipeline and profiles; its rate does not matter.
    workload
        The trace.
    options
        The system.
    seed
        Of arrivals and fan-outs: equal seeds give every system the same requests.
    step
        Reference plan; None to plan at the trace's 90th percentile of the rate.
    history
        Traces of other days, the last one first: what forecasts are read from, and the errors of the trend.
    """
    pipeline = instance.pipelines[0]
    problem = pipeline_problem(instance, pipeline)
    if step is None:
        step = plan_reference(instance, reference_rate(workload), options)
    columns = step.provisioning.columns
    assignments = [Assignment(c.configuration, c.machines, b) for c, b in zip(columns, step.budgets, strict=True)]
    tuner = Tuner(pipeline, problem.network, assignments, shortest_batches(problem, columns), options.tuning)
    if history:
        tuner.train([day.rates for day in history], [day.fanout_factors for day in history])
    return run_controller(instance, workload, assignments, tuner, options.drop, seed)


class Controller(Protocol):
    """Decides machine counts."""

    options: TuningOptions
    envelopes: list[Envelope]

    @property
    def band(self) -> tuple[float, float] | None:
        """Least and most requests per second of the root in its last forecast; None where it makes none."""

    def begin(self, rate: float) -> list[int]:
        """Machines of every module at time 0."""

    def decide(self, observation: Observation) -> list[int]:
        """Machines of every module from the end of the observed period on."""


def run_controller(
    instance: Instance,
    workload: Workload,
    assignments: Sequence[Assignment],
    controller: Controller,
    drop: DropRule,
    seed: int,
    order: Order = Order.ARRIVAL,
) -> SloptRun:
    """Serve a trace with given configurations and budgets, under any controller, drop policy and order."""
    pipeline = instance.pipelines[0]
    problem = pipeline_problem(instance, pipeline)
    first = controller.begin(float(workload.rates[0]))
    execution = Execution(
        pipeline,
        [replace(a, machines=n) for a, n in zip(assignments, first, strict=True)],
        [module.configurations for module in problem.modules],
        trace_arrivals(workload, seed),
        workload.fanout_factors,
        drop,
        controller.options.paced,
        controller.options.startup,
        np.random.default_rng((seed, 1)),
        order,
    )
    periods = _serve(execution, controller, workload.duration)
    return _measured(execution, problem, periods, workload.duration)


def trace_arrivals(workload: Workload, seed: int) -> np.ndarray:
    """The root's arrivals in a run with ``seed``, seconds."""
    return workload.arrivals(np.random.default_rng((seed, 0)))


def reference_rate(workload: Workload) -> float:
    """Rate at which configurations are chosen: the 90th percentile of the trace's seconds."""
    return max(1.0, float(np.quantile(workload.rates, 0.9)))


def _serve(execution: Execution, controller: Controller, seconds: float) -> list[PeriodRecord]:
    period = controller.options.period
    records = []
    for k in range(1, round((seconds + DRAIN) / period) + 1):
        before = execution.entered
        observation = execution.step(k * period)
        if k * period < seconds:
            for server, machines in zip(execution.servers, controller.decide(observation), strict=True):
                server.fleet.resize(observation.end, machines)
        records.append(_record(observation, controller, execution.entered - before, period))
    return records


def _record(observation: Observation, controller: Controller, arrived: int, period: float) -> PeriodRecord:
    ahead = period * controller.options.demand.lead
    return PeriodRecord(
        observation.end,
        arrived,
        observation.dropped,
        tuple(float(envelope.at(_BURST)[0] / _BURST[0]) for envelope in controller.envelopes),
        tuple(len(times) / period for times in observation.arrivals),
        observation.machines,
        None if controller.band is None else (observation.end + ahead, *controller.band),
    )


_BURST = np.array([0.1])
"""Seconds of the window in which bursts are shown."""


def _measured(execution: Execution, problem: PipelineProblem, periods: list[PeriodRecord], seconds: float) -> SloptRun:
    servers = execution.servers
    paid = tuple(server.fleet.paid_until(seconds) for server in servers)
    prices = [assignment.configuration.price for assignment in execution.assignments]
    return SloptRun(
        slo=problem.slo,
        seconds=seconds,
        arrivals=execution.arrivals,
        finish=execution.closings.finish,
        dropped_at=execution.dropped_at,
        cost=sum(price * total / 3600.0 for price, total in zip(prices, paid, strict=True)),
        started=sum(server.fleet.started for server in servers),
        modules=tuple(
            ModuleCounts(name, server.arrived, server.finished, server.dropped, server.waiting)
            for name, server in zip(execution.network.modules, servers, strict=True)
        ),
        module_arrivals=tuple(np.concatenate(times) for times in execution.module_arrivals),
        periods=tuple(periods),
    )
