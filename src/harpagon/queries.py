"""What the commands that plan do, as functions: plan, compare, explain, trade off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from harpagon.instances.checks import LARGEST_BATCH, MOST_COUNT, Checks, expect, is_number
from harpagon.instances.errors import InputError, shown
from harpagon.instances.instance import Instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import find_method
from harpagon.solvers.methods import solve as run_method
from harpagon.solvers.options import SolverOptions

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from harpagon.instances.plan import Plan
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.solvers.options import Progress
    from harpagon.solvers.result import Result
    from harpagon.solvers.sensitivity.curve import Curve
    from harpagon.solvers.sensitivity.explain import Explanation


def read_instance(name_or_path: str | Path) -> Instance:
    """Instance of a JSON or YAML file, or a shipped one by name, such as ``worked-example`` or ``traffic-198rps``.

    Raises
    ------
    InputError
        Where nothing has this name, or the file is faulty; with file, place, fault and next step.

    Examples
    --------
    >>> import harpagon
    >>> harpagon.read_instance("worked-example").pipelines[0].rate
    198.0
    """
    from harpagon.instances.library.shipped import resolve

    return resolve(str(name_or_path))


def solve(
    instance: Instance,
    method: str = "exact",
    billing: Billing | str | None = None,
    dispatch: Dispatch | str | None = None,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    threads: int = 1,
    seed: int = 0,
    log: bool = False,
    start: Plan | None = None,
    progress: Progress | None = None,
    arrivals: Arrivals | str | None = None,
    spare: int = 0,
) -> Result:
    """Plan an instance with one method; the independent checker referees the plan.

    Parameters
    ----------
    instance
        What to plan.
    method
        Name of a method, a key of `METHODS` or a registered one.
    billing
        ``whole``, ``fractional`` or ``shared``; None for the billing of the instance.
    dispatch
        Dispatch policy to plan for; None for the method's default.
    time_limit
        Seconds; at the limit an exact method returns its best plan and a valid bound. None for no limit.
    gap
        Relative gap at which a plan counts as optimal; 0 asks for a proof.
    threads, seed, log
        Of a general solver: threads, random seed, whether it prints its log to standard error.
    start
        A plan to start from.
    progress
        Called with the cost of the best plan and the bound while a long search runs.
    arrivals
        A recorded trace, or the name of its file, to plan for in the place of rate and burst: the cheapest plan under
        ``paced`` that keeps the objective for every request of it. None for what the instance promises.
    spare
        Machines of every module that may be lost, any of them, without a result that is late.

    Returns
    -------
    Result
        Plan, bound and times. A heuristic's bound is minus infinity.

    Raises
    ------
    InputError
        Where there is no such method, billing or policy, or a figure is out of its range.
    UnsupportedError
        Where the method does not support the case.
    CheckFailedError
        Where the plan fails the independent check: a defect of the method.

    Examples
    --------
    >>> import harpagon
    >>> result = harpagon.solve(harpagon.read_instance("worked-example"), dispatch="tc")
    >>> result.plan.cost, result.dual_bound, result.termination
    (5.0, 5.0, <Termination.OPTIMAL: 'optimal'>)
    """
    expect(Instance, instance=instance)
    Checks("spare").count((), spare, 0, LARGEST_BATCH)
    options = SolverOptions(time_limit, gap, threads, seed, log, start, progress)
    asked = instance.with_spare(spare)
    if arrivals is not None:
        from harpagon.simulation.recorded import plan_for_trace

        result = plan_for_trace(asked, arrivals, method, _billing(billing), _dispatch(dispatch), options)
    else:
        result = run_method(asked, method, _billing(billing), _dispatch(dispatch), options)
    if result.plan is None:
        return result
    return replace(result, plan=replace(result.plan, instance_digest=instance.digest()))


def compare(
    instances: Iterable[Instance],
    methods: Iterable[str] = ("harpagon",),
    *,
    billing: Billing | str | Iterable[Billing | str] | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    threads: int = 1,
    workers: int = 1,
    out: str | Path | None = None,
) -> DataFrame:
    """Solve instances with several methods and to proven optimality, by the protocol of ``harpagon gap``.

    Parameters
    ----------
    instances
        What to plan.
    methods
        Names of methods; the exact optima are proven beside them in any case.
    billing
        One billing or several; None for that of each instance.
    time_limit, gap, threads
        Of exact methods, as for `solve`.
    workers
        Processes; with more than one, run times disturb one another. Registered methods go along.
    out
        Folder whose ``rows.jsonl`` keeps finished rows, and from which they are taken again; None keeps nothing.

    Returns
    -------
    DataFrame
        One row per instance, billing and method: ``workload``, ``method``, ``billing``, ``dispatch``, ``status``,
        ``cost`` and ``bound`` ($/h), ``build_s``, ``solve_s``, ``runs``; then for the optima under ``tc`` and under
        ``free`` dispatch ``optimum_...`` ($/h) and ``gap_...``, cost / optimum - 1.

    Raises
    ------
    InputError
        Where there is no such method or billing, or a figure is out of its range.

    Examples
    --------
    >>> import harpagon
    >>> table = harpagon.compare([harpagon.read_instance("worked-example")], ["clipper"])
    >>> table[["method", "dispatch", "cost"]].round(2).values.tolist()
    [['exact', 'tc', 5.0], ['exact', 'free', 5.0], ['exact', 'paced', 5.0], ['clipper', 'round-robin', 6.33]]
    """
    from pathlib import Path

    from harpagon.evaluation.gaps.frame import comparison_frame
    from harpagon.evaluation.gaps.study import run_tasks, study_tasks
    from harpagon.evaluation.sweep.rows import RowFile

    if not isinstance(instances, Iterable) or isinstance(instances, str):
        raise InputError("instances", "", f"must be a list, found {shown(instances)}", "Give a list of instances")
    asked = list(instances)
    for position, instance in enumerate(asked):
        Checks("instances").kind((position,), instance, Instance)
    Checks("workers").count((), workers, 1, MOST_COUNT)
    names = [methods] if isinstance(methods, str) else list(methods)
    named = [billing] if isinstance(billing, str) else list(billing or ())
    billings = [Billing.of(word) for word in named]
    options = SolverOptions(time_limit, gap, threads)
    tasks = study_tasks(asked, [find_method(name).name for name in names], billings or None, options)
    file = None if out is None else RowFile(Path(out) / "rows.jsonl")
    return comparison_frame(run_tasks(tasks, file, workers)).drop(columns=["key", "instance"])


def explain(
    instance: Instance,
    *,
    billing: Billing | str | None = None,
    dispatch: Dispatch | str | None = None,
    time_limit: float = 60.0,
) -> Explanation:
    """Say why there is no plan and what would give one, or what binds the plan and what loosening saves.

    Parameters
    ----------
    instance
        What to explain.
    billing, dispatch
        As for `solve`.
    time_limit
        Seconds for all solves together; what does not fit is left out, and the explanation says so.

    Raises
    ------
    InputError
        Where there is no such billing or policy.

    Examples
    --------
    >>> import harpagon
    >>> harpagon.explain(harpagon.read_instance("worked-example"), dispatch="tc").feasible
    True
    """
    from harpagon.solvers.sensitivity.explain import find_explanation

    expect(Instance, instance=instance)
    paid = _billing(billing) or instance.billing
    usual = find_method("exact").dispatch_for(paid)
    return find_explanation(instance, paid, _dispatch(dispatch), usual, time_limit)


def curve(
    instance: Instance,
    over: Literal["slo", "rate"] = "slo",
    *,
    low: float = 0.75,
    high: float = 1.5,
    method: str = "exact",
    billing: Billing | str | None = None,
    dispatch: Dispatch | str | None = None,
    time_limit: float | None = None,
) -> Curve:
    """Cost against a factor on all SLOs or on all rates, as exact steps.

    Parameters
    ----------
    instance
        What to plan.
    over
        ``slo`` or ``rate``; over the rate the billing must be whole.
    low, high
        Range of the factor.
    method, billing, dispatch, time_limit
        As for `solve`; the time limit is that of each solve.

    Returns
    -------
    Curve
        Steps with their plans; `Curve.to_frame` for a table, `plot_curve` for a picture.

    Raises
    ------
    InputError
        Where an argument is out of its range.
    UnsupportedError
        Over the rate in fractional billing, where cost is no step function.

    Examples
    --------
    >>> import harpagon
    >>> traced = harpagon.curve(harpagon.read_instance("worked-example"), high=1.2, billing="whole", dispatch="tc")
    >>> [round(step.cost) for step in traced.steps]
    [7, 6, 5]
    """
    from harpagon.solvers.sensitivity.curve import Curve, rate_curve, slo_curve

    expect(Instance, instance=instance)
    if not (is_number(low) and is_number(high) and 0 < low < high):
        raise InputError("low and high", "", f"are {low} and {high}", "Give two factors with 0 < low < high")
    if over not in ("slo", "rate"):
        raise InputError("over", "", f"is {shown(over)}", "Use slo or rate")
    paid = _billing(billing) or instance.billing

    def plan(changed: Instance) -> Result:
        return solve(changed, method, billing=paid, dispatch=dispatch, time_limit=time_limit)

    steps = slo_curve(instance, plan, low, high) if over == "slo" else rate_curve(instance, plan, paid, low, high)
    return Curve.of(instance, over, steps)


def _billing(value: str | None) -> Billing | None:
    return None if value is None else Billing.of(value)


def _dispatch(value: str | None) -> Dispatch | None:
    return None if value is None else Dispatch.of(value)
