"""The cheapest plan that keeps the objective for every request of a recorded trace: proven, not simulated.

At every rate R the trace is a stream of at most n(R) + R x requests in any window of x seconds, and its burst n(R) is
found in one pass. A plan under ``paced`` for R and n(R) therefore keeps its latency for the whole trace. Which rate is
the best to plan for? Let f(R, S) be the least cost at rate R with burst 1 and objective S. A burst is worth
D(R) = (n(R) - 1) / R seconds of the objective, so the plan for R costs f(R, S - D(R)). As streams of a lower rate are
streams of a higher one, f does not fall in R; nor does it rise in S; and D falls in R. Hence

    f(low, S - D(high)) <= f(R, S - D(R))    for low <= R <= high,

a bound for a whole interval of rates, found by one solve. Best-first over intervals, split in the middle, ends with
the cheapest rate.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.bounds import smallest_latency
from harpagon.formulations.checker import check
from harpagon.formulations.physics import COST_TOLERANCE, keeps_streams
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.errors import InputError
from harpagon.instances.plan import Promise
from harpagon.instances.policies import Billing, Dispatch
from harpagon.simulation.arrivals.bursts import BurstMeter
from harpagon.simulation.arrivals.named import parse_arrivals
from harpagon.simulation.arrivals.processes import recorded_duration
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.errors import CheckFailedError
from harpagon.solvers.methods import find_method, require_support, solve
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.result import Result, SolveInterrupted, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.simulation.arrivals.processes import Arrivals

_SLOWEST, _FASTEST = 1e-6, 1e9
"""Requests per second between which rates are looked at."""
_NARROW = 1 + 1e-7
"""Ratio of its ends at which an interval of rates is not split again."""
_BURST_STEP = 1e-6
"""Bursts are rounded up to a multiple of this: more than what sums of clock times round."""


def trace_burst(arrivals: Arrivals, rate: float) -> float:
    """Smallest burst, rounded up, with which a recorded trace is a stream of this rate; one pass over it."""
    duration = recorded_duration(arrivals)
    assert duration is not None, "a trace has an end"
    meter = BurstMeter(rate)
    for times in arrivals.times(rate, duration, np.random.default_rng(0)):
        meter.add(times)
    return max(1.0, math.ceil(meter.burst / _BURST_STEP) * _BURST_STEP)


def plan_for_trace(
    instance: Instance,
    arrivals: Arrivals | str,
    method: str = "exact",
    billing: Billing | None = None,
    dispatch: Dispatch | None = None,
    options: SolverOptions = DEFAULT_OPTIONS,
) -> Result:
    """Cheapest plan of one pipeline that keeps its objective for every request of a recorded trace.

    Parameters
    ----------
    instance
        One pipeline. The trace takes the place of its rate and burst.
    arrivals
        A recorded trace, or the name of its file.
    method
        An exact method that plans for ``paced``.
    billing
        How machines are billed; None for the billing of the instance.
    dispatch
        None or ``paced``: no other policy counts bursts.
    options
        Time limit of all solves together, gap, and what else each solve is told; no plan to start from.

    Returns
    -------
    Result
        The plan names its rate, burst and trace; the bound holds for every rate that one might plan for.

    Raises
    ------
    InputError
        Where the arrivals have no end, the instance has several pipelines, or there is a plan to start from.
    UnsupportedError
        Where the policy is another, the method does not plan for ``paced`` in this billing, or machines are shared.
    CheckFailedError
        Where the plan fails the independent check.
    """
    arrivals = parse_arrivals(arrivals) if isinstance(arrivals, str) else arrivals
    if recorded_duration(arrivals) is None:
        problem = "has no end, so no plan keeps the objective for all of it"
        raise InputError(str(arrivals), "", problem, "Give a trace file; `harpagon headroom` is for random arrivals")
    if len(instance.pipelines) > 1:
        problem = f"has {len(instance.pipelines)} pipelines, a trace is the arrivals of one"
        raise InputError(instance.name, "pipelines", problem, "Plan each pipeline in a file of its own")
    if options.start is not None:
        problem = "is for one rate, and many are tried for a trace"
        raise InputError("the plan to start from", "", problem, "Leave it out")
    if dispatch is not None and not keeps_streams(dispatch):
        raise UnsupportedError(method, f"recorded traces under {dispatch} dispatch (paced counts bursts)", ())
    billing = billing or instance.billing
    if billing is Billing.SHARED:
        words = (
            "recorded traces in shared billing: its cost may fall where the rate rises, so that no rate bounds another"
        )
        raise UnsupportedError(method, words, ())
    require_support(find_method(method), instance, billing, Dispatch.PACED)

    def solver(steady: Instance, seconds: float | None) -> Result:
        return solve(steady, method, billing, Dispatch.PACED, replace(options, time_limit=seconds))

    return replace(_Search(instance, arrivals, solver, options).run(), method=method)


@dataclass(frozen=True, slots=True)
class _Found:
    """The best plan so far, with the stream that it is for."""

    result: Result
    plan: Plan
    promise: Promise


class _Search:
    """Best-first search over intervals of rates."""

    def __init__(
        self,
        instance: Instance,
        arrivals: Arrivals,
        solver: Callable[[Instance, float | None], Result],
        options: SolverOptions,
    ) -> None:
        self.instance = instance
        (self.pipeline,) = instance.pipelines
        self.arrivals = arrivals
        self.solver = solver
        self.begin = time.perf_counter()
        self.deadline = math.inf if options.time_limit is None else self.begin + options.time_limit
        self.gap = max(options.gap, COST_TOLERANCE)
        self.best: _Found | None = None
        self.heap: list[tuple[float, float, float]] = []
        self.tried = 0
        self.solved_by = SolverInfo("harpagon", version("harpagon"))

    def run(self) -> Result:
        low = self._slowest()
        if low is None:
            return self._result(math.inf)
        try:
            self._split(low)
        except SolveInterrupted as interruption:
            raise SolveInterrupted(self._result(0.0)) from interruption
        return self._result(min([self._cost(), *(bound for bound, _, _ in self.heap[:1])]))

    def _split(self, low: float) -> None:
        """Split intervals of rates from ``low`` on until none may be cheaper than the best one."""
        self._add(low, math.inf)
        while self.heap and self._is_open(*self.heap[0]) and time.perf_counter() < self.deadline:
            _, low, high = heappop(self.heap)
            middle = 2 * low if math.isinf(high) else math.sqrt(low * high)
            self._try(middle)
            self._add(low, middle)
            self._add(middle, high)

    def _is_open(self, bound: float, low: float, high: float) -> bool:
        """Whether a rate of this interval may be cheaper than the best one so far."""
        return bound < self._cost() * (1 - self.gap) and high > low * _NARROW

    def _cost(self) -> float:
        return math.inf if self.best is None else self.best.plan.cost

    def _delay(self, rate: float) -> float:
        return 0.0 if math.isinf(rate) else Promise(rate, trace_burst(self.arrivals, rate)).delay

    def _slowest(self) -> float | None:
        """Slowest rate, up to rounding, at which the wait of a burst leaves the modules time; None where none does."""
        problem = pipeline_problem(self.instance, replace(self.pipeline, burst=1))
        least = [smallest_latency(module, Dispatch.PACED) for module in problem.modules]
        room = problem.slo - problem.network.length(least)
        high = self.pipeline.rate
        while self._delay(high) > room:
            high *= 2
            if high > _FASTEST:
                return None
        low = high
        while low > _SLOWEST and self._delay(low) <= room:
            low, high = low / 2, low
        while high > low * _NARROW and low > _SLOWEST:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self._delay(middle) <= room else (middle, high)
        return high

    def _try(self, rate: float) -> None:
        """Plan for this rate, with the burst that the trace has at it."""
        promise = Promise(rate, trace_burst(self.arrivals, rate), str(self.arrivals))
        result = self._solve(rate, self.pipeline.slo - promise.delay)
        if result.plan is not None and result.plan.cost < self._cost() * (1 - COST_TOLERANCE):
            self.best = _Found(result, result.plan, promise)

    def _add(self, low: float, high: float) -> None:
        bound = self._bound(low, self._delay(high))
        if bound < self._cost() * (1 - self.gap):
            heappush(self.heap, (bound, low, high))

    def _bound(self, rate: float, delay: float) -> float:
        """No plan for this rate or a higher one costs less where the burst is worth so many seconds or more."""
        return self._solve(rate, self.pipeline.slo - delay).dual_bound

    def _solve(self, rate: float, slo: float) -> Result:
        """Optimum at a rate with burst 1."""
        self.tried += 1
        steady = replace(self.pipeline, rate=rate, slo=slo, burst=1)
        left = None if math.isinf(self.deadline) else max(1e-3, self.deadline - time.perf_counter())
        result = self.solver(replace(self.instance, pipelines=(steady,)), left)
        self.solved_by = result.solver
        return result

    def _result(self, bound: float) -> Result:
        seconds = time.perf_counter() - self.begin
        if self.best is None:
            termination = Termination.INFEASIBLE if math.isinf(bound) else Termination.LIMIT
            return Result("exact", termination, None, bound, 0.0, seconds, self.solved_by)
        found = self.best.result
        plan = _promising(self.best.plan, self.instance, self.best.promise)
        report = check(self.instance, plan)
        if not report.ok:
            raise CheckFailedError(found.method, report.violations)
        proven = plan.cost - bound <= self.gap * plan.cost
        return replace(
            found,
            plan=plan,
            dual_bound=min(bound, plan.cost),
            termination=Termination.OPTIMAL if proven else Termination.FEASIBLE,
            build_time=0.0,
            solve_time=seconds,
            solver=replace(found.solver, options={**found.solver.options, "solves": self.tried}),
        )


def _promising(plan: Plan, instance: Instance, promise: Promise) -> Plan:
    """A plan for steady requests as the plan for a stream with a burst: everything is later by what a root waits."""
    (planned,) = plan.pipelines
    return replace(plan, pipelines=(_waiting(planned, promise),), instance_digest=instance.digest())


def _waiting(planned: PipelinePlan, promise: Promise) -> PipelinePlan:
    modules = {
        name: module
        if module.pace is None
        else replace(module, pace=replace(module.pace, start=module.pace.start + promise.delay))
        for name, module in planned.modules.items()
    }
    wait = promise.delay
    return replace(planned, slo=planned.slo + wait, latency=planned.latency + wait, modules=modules, promise=promise)
