"""The physics of batch serving: worst-case latency of every tuple under every dispatch policy.

This is the one place where the latency formulas stand; exact methods, heuristics, checker and simulator share it.
With tuples in dispatch order, batch size b, batch duration d, throughput t = b / d, machines n, rate f of a
residual, and w = rate of the tuple and of all tuples after it:

============== ====================== ========== ==================================
policy         full tuple             residual   source
============== ====================== ========== ==================================
tc, free       d + b / w              d + b / f  Harpagon [R]
per-config     d + b / (n t)          d + b / f  Scrooge [R]
round-robin    2 d                    d + b / f  Nexus, InferLine, Clipper [R]
tc-safe        d + (b + B) / w        the same   ours; B = sum of b of the tuples before
edf            L, the same for all tuples        ours, see below
============== ====================== ========== ==================================

Under ``edf`` a group g works at rate rho_g, its batches are due L - d_g after they open, and the demand bound of
earliest-deadline-first service holds for every group k exactly when

    L >= (sum of b_g over {g : d_g >= d_k} + sum over g of rho_g max(d_g, d_k)) / sum over g of rho_g .

``tc`` and ``free`` are fluid bounds, which a dispatcher that hands out whole batches can miss; ``tc-safe`` and
``edf`` are bounds that a dispatcher keeps: exactly at full load; where capacity exceeds the rate T, up to one missing
request, 1 / W under ``edf`` (W = sum of rho_g) and 1 / w under ``tc-safe`` (docs/dispatch.md).

A point of a capacity profile (`Configuration.is_capacity`) is a configuration with b = 0 whose d is the stated latency
and whose t is the stated rate: it collects nothing. ``round-robin`` takes d instead of 2 d for it, since a machine
that batches by itself has no batch of ours in front of another.

[R] marks a reconstruction from general knowledge of the paper, not checked against its text.

Slacks, T being `TIME_TOLERANCE`:

=================== =============================================================== ====================================
slack               who grants it                                                   why
=================== =============================================================== ====================================
T on an SLO         the checker, brute force                                        sums over a path round
T / 2 on an SLO     every search                                                    its plans stand before the checker
T / 1000 a module   heuristics (`harpagon.heuristics.scheduling_rules`)             a path of 1,000 modules keeps T
2 T under a latency `curve`, for its next step                                      the plan before may use up T
`RATE_TOLERANCE`    capacity against the rate, machines against a limit             sums of throughputs round
`COST_TOLERANCE`    costs that count as equal                                       sums of prices round
1e-7 of a cost      bounds of general solvers (`PROOF_TOLERANCE`)                   rows they may break by 1e-9
1e-6 of a figure    claims in plan files, to the checker                            files have 15 digits, people fewer
1e-6 s, measured    `harpagon.simulation.report.ROUNDING`                           clock times are long sums
=================== =============================================================== ====================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harpagon.instances.instance import Configuration
    from harpagon.instances.plan import DispatchTuple

TIME_TOLERANCE = 1e-9
"""Seconds by which a latency may pass a budget and still count as meeting it: rounding, no more."""
RATE_TOLERANCE = 1e-9
"""Relative shortfall of capacity against the request rate that counts as rounding."""
COST_TOLERANCE = 1e-9
"""Relative difference below which two costs are the same."""
PROOF_TOLERANCE = 1e-7
"""Relative difference of plan and bound that row violations within a general solver's tolerance can leave."""

_ROUNDING = 1e-11
"""Seconds by which a stated latency may pass a budget: the rounding of sums and differences of budgets."""


def tc_order(configuration: Configuration) -> tuple[float, int, str]:
    """Sort key of the ``tc`` dispatch order: throughput-cost ratio descending, larger batch, hardware name."""
    return (-configuration.ratio, -configuration.batch, configuration.hardware)


def tuple_latencies(tuples: Sequence[DispatchTuple], dispatch: Dispatch) -> tuple[float, ...]:
    """Worst-case latency of each tuple.

    Parameters
    ----------
    tuples
        Schedule of one module in dispatch order, a residual last.
    dispatch
        Policy.

    Returns
    -------
    tuple of float
        Seconds, one per tuple: the table of this module's docstring.
    """
    latencies = _POLICIES[dispatch].latencies
    assert latencies is not None, "under paced the stream counts: ModuleProblem.latency"
    return latencies(tuples)


def module_latency(tuples: Sequence[DispatchTuple], dispatch: Dispatch) -> float:
    """Worst-case latency of a module in seconds: the largest of its tuples."""
    return max(tuple_latencies(tuples, dispatch))


def collection_rate(configuration: Configuration, budget: float) -> float:
    """Smallest rate w at which d + b / w meets ``budget``, q = b / (budget - d).

    Parameters
    ----------
    configuration
        Batch size and duration.
    budget
        Seconds allowed for collecting and executing one batch.

    Returns
    -------
    float
        Requests per second; infinity where the batch duration alone takes the budget, 0 where there is no batch.
    """
    slack = budget - configuration.duration
    if configuration.is_capacity:
        return 0.0 if slack >= -_ROUNDING else math.inf
    return configuration.batch / slack if slack > 0 else math.inf


def execution(configuration: Configuration, dispatch: Dispatch) -> float:
    """Seconds that a full machine takes at any rate: d, under ``round-robin`` 2 d for what it batches."""
    twice = not collects(dispatch) and not configuration.is_capacity
    return 2 * configuration.duration if twice else configuration.duration


def collects(dispatch: Dispatch) -> bool:
    """Whether a full machine's latency depends on the rate at which its batch is collected; else it is `execution`."""
    return _POLICIES[dispatch].collects


def collects_alone(dispatch: Dispatch) -> bool:
    """Whether a tuple's batches fill at the tuple's own rate; else at that of all tuples from it on."""
    return _POLICIES[dispatch].collects_alone


def waits_for_front(dispatch: Dispatch) -> bool:
    """Whether a tuple's batch fills after one of every tuple before it."""
    return _POLICIES[dispatch].waits_for_front


def serves_due_first(dispatch: Dispatch) -> bool:
    """Whether all tuples have one latency, which the open batch that is due first keeps."""
    return _POLICIES[dispatch].serves_due_first


def has_free_order(dispatch: Dispatch) -> bool:
    """Whether the order of full tuples is the planner's choice; else it is that of `in_dispatch_order`."""
    return _POLICIES[dispatch].has_free_order


def has_ratio_order(dispatch: Dispatch) -> bool:
    """Whether a plan has its tuples in the order of `in_dispatch_order`, which its bound rests on."""
    return _POLICIES[dispatch].has_ratio_order


def keeps_bound(dispatch: Dispatch) -> bool:
    """Whether one dispatcher keeps the latency of the formula, up to an allowance."""
    return _POLICIES[dispatch].keeps_bound


def keeps_streams(dispatch: Dispatch) -> bool:
    """Whether a module serves every stream of its promised class; else its latency is a formula of the schedule."""
    return _POLICIES[dispatch].latencies is None


def in_dispatch_order(tuples: Iterable[DispatchTuple]) -> tuple[DispatchTuple, ...]:
    """Tuples in ``tc`` order with a residual last."""
    return tuple(sorted(tuples, key=lambda part: (part.is_residual, *tc_order(part.configuration))))


def _batch_aware(tuples: Sequence[DispatchTuple]) -> tuple[float, ...]:
    latencies = []
    behind = 0.0
    for part in reversed(tuples):
        behind += part.rate
        latencies.append(part.configuration.duration + part.configuration.batch / behind)
    return tuple(reversed(latencies))


def _per_config(tuples: Sequence[DispatchTuple]) -> tuple[float, ...]:
    return tuple(part.configuration.duration + part.configuration.batch / part.rate for part in tuples)


def _round_robin(tuples: Sequence[DispatchTuple]) -> tuple[float, ...]:
    return tuple(
        part.configuration.duration + part.configuration.batch / part.rate
        if part.is_residual
        else execution(part.configuration, Dispatch.ROUND_ROBIN)
        for part in tuples
    )


def _priority_safe(tuples: Sequence[DispatchTuple]) -> tuple[float, ...]:
    latencies = []
    work = sum(part.rate for part in tuples)
    collected = 0
    for part in tuples:
        collected += part.configuration.batch
        latencies.append(part.configuration.duration + collected / work)
        work -= part.rate
    return tuple(latencies)


def _earliest_deadline_first(tuples: Sequence[DispatchTuple]) -> tuple[float, ...]:
    total = sum(part.rate for part in tuples)
    bound = 0.0
    for pivot in tuples:
        d = pivot.configuration.duration
        demand = sum(part.configuration.batch for part in tuples if part.configuration.duration >= d)
        held = sum(part.rate * max(part.configuration.duration, d) for part in tuples)
        bound = max(bound, (demand + held) / total)
    return (bound,) * len(tuples)


@dataclass(frozen=True, slots=True)
class _Policy:
    """What the other layers ask of a policy, by the functions of the same names; ``latencies`` is its formula."""

    latencies: Callable[[Sequence[DispatchTuple]], tuple[float, ...]] | None
    collects: bool = True
    collects_alone: bool = False
    waits_for_front: bool = False
    serves_due_first: bool = False
    has_free_order: bool = False
    has_ratio_order: bool = False
    keeps_bound: bool = False


_POLICIES = {
    Dispatch.TC: _Policy(_batch_aware, has_ratio_order=True),
    Dispatch.FREE: _Policy(_batch_aware, has_free_order=True),
    Dispatch.PER_CONFIG: _Policy(_per_config, collects_alone=True),
    Dispatch.ROUND_ROBIN: _Policy(_round_robin, collects=False, collects_alone=True),
    Dispatch.TC_SAFE: _Policy(_priority_safe, waits_for_front=True, has_ratio_order=True, keeps_bound=True),
    Dispatch.EDF: _Policy(_earliest_deadline_first, serves_due_first=True, keeps_bound=True),
    Dispatch.PACED: _Policy(None),
}
