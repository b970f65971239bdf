"""What the commands that simulate do, as functions: run a plan, find the headroom that random arrivals need."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from harpagon.instances.checks import Checks, expect, is_number
from harpagon.instances.errors import InputError
from harpagon.instances.instance import Instance
from harpagon.instances.plan import Plan
from harpagon.queries import solve

if TYPE_CHECKING:
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.headroom import Headroom
    from harpagon.simulation.report import SimulationReport

_SECONDS = 60.0
_MOST_SECONDS = 1e8


def simulate(
    instance: Instance,
    plan: Plan,
    arrivals: Arrivals | str = "even",
    *,
    duration: float | None = None,
    seed: int = 0,
    **conditions: Any,
) -> SimulationReport:
    """Run a plan request by request and measure what its bounds claim.

    Parameters
    ----------
    instance, plan
        A plan of this instance.
    arrivals
        ``even``, ``poisson``, ``gamma:CV``, a trace file, or what else ``harpagon simulate --arrivals`` takes.
    duration
        Seconds; None for the length of the trace, or 60.
    seed
        The same seed gives the same run.
    conditions
        Further arguments of `harpagon.simulation.simulate`: ``paced``, ``padding``, ``random_fanout``, ...

    Raises
    ------
    InputError
        Where an argument is out of its range.

    Examples
    --------
    >>> import harpagon
    >>> instance = harpagon.read_instance("worked-example")
    >>> report = harpagon.simulate(instance, harpagon.solve(instance, dispatch="edf").plan, duration=10)
    >>> report.pipelines[0].violations
    0
    """
    from harpagon.simulation.simulator import simulate as run

    expect(Instance, instance=instance)
    expect(Plan, plan=plan)
    process, seconds = _arrivals(arrivals, duration, seed)
    return run(instance, plan, process, duration=seconds, seed=seed, **conditions)


def headroom(
    instance: Instance,
    percentile: float = 99.0,
    arrivals: Arrivals | str = "poisson",
    *,
    confidence: float = 95.0,
    duration: float | None = None,
    seed: int = 0,
    method: str = "exact",
    billing: Billing | str | None = None,
    dispatch: Dispatch | str | None = None,
) -> Headroom | None:
    """Smallest headroom over the rates for which a percentile of the latency meets the SLO, in further runs too.

    Parameters
    ----------
    instance
        What to plan.
    percentile
        Per cent of the requests that must meet the SLO.
    confidence
        Per cent of further runs that are to meet that.
    arrivals, duration, seed
        As for `simulate`.
    method, billing, dispatch
        As for `solve`.

    Returns
    -------
    Headroom or None
        The headroom, its plan and the simulation; None where no headroom up to 800 % has such a plan.

    Raises
    ------
    InputError
        Where an argument is out of its range.

    Examples
    --------
    >>> import harpagon
    >>> found = harpagon.headroom(harpagon.read_instance("worked-example"), 90.0, duration=10)
    >>> found.headroom < 1.0
    True
    """
    from harpagon.simulation.headroom import find_headroom

    for name, value in (("percentile", percentile), ("confidence", confidence)):
        if not (is_number(value) and 1 <= value < 100):
            raise InputError(name, "", f"is {value}", "Give a percentage from 1 to below 100, such as 99")
    process, seconds = _arrivals(arrivals, duration, seed)

    def plan(instance: Instance) -> Plan | None:
        return solve(instance, method, billing=billing, dispatch=dispatch).plan

    return find_headroom(
        instance,
        plan,
        process,
        percentile=percentile / 100,
        confidence=confidence / 100,
        duration=seconds,
        seed=seed,
    )


def _arrivals(arrivals: Arrivals | str, duration: float | None, seed: int) -> tuple[Arrivals, float]:
    from harpagon.simulation.arrivals.named import parse_arrivals
    from harpagon.simulation.arrivals.processes import recorded_duration

    Checks("seed").count((), seed, 0, sys.maxsize)
    process = parse_arrivals(arrivals) if isinstance(arrivals, str) else arrivals
    seconds = recorded_duration(process) or _SECONDS if duration is None else duration
    if not (is_number(seconds) and 0 < seconds <= _MOST_SECONDS):
        raise InputError("duration", "", f"is {duration}", f"Give seconds above 0 and up to {_MOST_SECONDS:g}")
    return process, seconds
