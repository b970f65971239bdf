"""Whole systems by name, and how one serves a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.errors import InputError, suggestion
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.order import Order
from harpagon.simulation.slopt.run import reference_rate, run_controller
from harpagon.simulation.slopt.systems import planners
from harpagon.simulation.slopt.systems.controller import RateController
from harpagon.simulation.slopt.systems.policies import EnvelopeTuner, Epochs, LastSeconds, OnChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.instances.instance import Instance
    from harpagon.simulation.slopt.engine import Assignment
    from harpagon.simulation.slopt.report import SloptRun
    from harpagon.simulation.slopt.systems.planners import Planner
    from harpagon.simulation.slopt.systems.policies import RatePolicy
    from harpagon.simulation.slopt.tuning import TuningOptions
    from harpagon.simulation.slopt.workload import Workload


@dataclass(frozen=True, slots=True)
class System:
    """A planner, a controller, an order of the queue and a drop rule.

    Attributes
    ----------
    summary
        In one line.
    planner
        Chooses configurations and latency budgets offline.
    policy
        Makes what decides for which rates machines are held, from the seconds of the longest path's batches and the
        start-up time.
    drop, order
        What its queues do.
    """

    summary: str
    planner: Planner
    policy: Callable[[float, float], RatePolicy]
    drop: Drop
    order: Order = Order.ARRIVAL


def _last_seconds(service: float, startup: float) -> RatePolicy:
    return LastSeconds()


def _epochs(service: float, startup: float) -> RatePolicy:
    return Epochs()


def _on_change(service: float, startup: float) -> RatePolicy:
    return OnChange()


SYSTEMS: dict[str, System] = {
    "nexus": System(
        "split by dynamic programming, epochs of 10 s, early drop (SOSP 2019) [R]", planners.nexus, _epochs, Drop.EARLY
    ),
    "clipper++": System(
        "even split, machines after the last seconds, drops what is late already (NSDI 2017) [R]",
        planners.clipper,
        _last_seconds,
        Drop.LATE,
    ),
    "inferline": System(
        "greedy planner, tuner by traffic envelopes, no drops (SoCC 2020) [R]",
        planners.inferline,
        EnvelopeTuner,
        Drop.NONE,
    ),
    "scrooge": System(
        "one mathematical program, planned anew when the load has changed, no drops (SoCC 2021) [R]",
        planners.scrooge,
        _on_change,
        Drop.NONE,
    ),
    "pard": System(
        "Nexus's planner, machines after the last seconds, proactive drop from both ends of the queue (2602.08747) [R]",
        planners.nexus,
        _last_seconds,
        Drop.PROACTIVE,
        Order.ADAPTIVE,
    ),
}
"""What SLOpt is compared with.

The original papers, as far as known here: Nexus packs batches on GPUs epoch by epoch and drops what the head of a queue
cannot make in time. Clipper serves single models and knows no pipelines; ``clipper++`` is what papers since compare
with under that name: an even split of the SLO, and drops once it has passed. InferLine plans for a sample trace and
follows with a tuner of its own. Scrooge solves one program for all. PARD is about drops and the order of the queue;
that it plans as Nexus does and scales by the last seconds is ours.
"""


def find_system(name: str) -> System:
    """A system by name.

    Raises
    ------
    InputError
        Where there is none.
    """
    if name not in SYSTEMS:
        raise InputError(name, "", "is no system", suggestion(name, SYSTEMS))
    return SYSTEMS[name]


def run_system(
    instance: Instance,
    workload: Workload,
    name: str,
    options: TuningOptions,
    seed: int,
    assignments: Sequence[Assignment] | None = None,
) -> SloptRun:
    """Serve a trace with a whole system.

    Parameters
    ----------
    instance
        Its first pipeline is served.
    workload
        The trace.
    name
        Key of `SYSTEMS`.
    options
        Headroom, period, start-up time and fleet.
    seed
        Of arrivals and fan-outs, as in `harpagon.simulation.slopt.run.run_slopt`.
    assignments
        What its planner gave; None to plan at the trace's 90th percentile of the rate.

    Raises
    ------
    InputError
        Where there is no such system.
    NoPlanError
        Where its planner has no plan.
    """
    system = find_system(name)
    problem = pipeline_problem(instance, instance.pipelines[0])
    if assignments is None:
        assignments = planners.plan_assignments(instance, reference_rate(workload), system.planner)
    service = problem.network.length([assignment.configuration.duration for assignment in assignments])
    fanouts = [module.rate / instance.pipelines[0].rate for module in problem.modules]
    controller = RateController(assignments, fanouts, system.policy(service, options.startup), options)
    return run_controller(instance, workload, assignments, controller, system.drop, seed, system.order)
