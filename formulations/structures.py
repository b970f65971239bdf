"""Structures of a module's schedules under every dispatch policy, ``paced`` included.

Under ``paced`` a residual (c, f) after full tuples of rate W keeps a latency L, at least what `Structure.floor` says,
exactly when f covers what W leaves and meets the demands of one dispatcher (`harpagon.formulations.paced`). With
(s, q) the corners of the stream and R its roots per second:

============== ==============================================================================================
in-step        no full tuples: work b (q + 1), delay d - s / R, behind 0
at-once        no full tuples: f at least the rate of full batches, L at least d and their lag
open-batches   for every group k, with D = max(d_k, d of the residual): delay D - s / R, behind W, and
               work (sum of b over groups with d >= d_k) + (sum over full tuples of rho (max(d, d_k) - D)) + q + 1
server         none beside the capacity: L at least every stated latency
============== ==============================================================================================

So ``paced`` has curves as the other policies have: linear in cost, convex in L. Where a residual alone may be served at
once or in step, these are two structures.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from harpagon.formulations.paced import at_once_rate, corners, exact, exact_rate, exact_throughput, upward
from harpagon.formulations.physics import in_dispatch_order, keeps_streams
from harpagon.formulations.residual import Demand, Structure, demands_by_deadline, structure_of
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.formulations.paced import Stream
    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.instance import Configuration

_ROUNDING = 1e-12
_VISIBLE = 2e-9
"""Share of a machine that a residual takes at least where it is needed: less would pass for none."""


def module_structure(schedule: Sequence[DispatchTuple], module: ModuleProblem, dispatch: Dispatch) -> Structure:
    """Structure of a schedule of ``module``: the one that says its latency, where a residual may have two.

    A residual that fills its machine up to rounding has no curve: it counts as a full machine.
    """
    if not keeps_streams(dispatch):
        return structure_of(schedule, module.rate, dispatch)
    *full, last = schedule
    if not last.is_residual:
        return structures_with(schedule, None, module, dispatch)[0]
    found = structures_with(full, last.configuration, module, dispatch)
    if all(structure.quickest == math.inf for structure in found):
        return structures_with(_filled(full, last.configuration), None, module, dispatch)[0]
    return min(found, key=lambda structure: structure.latency(last.rate) if structure.least <= last.rate else math.inf)


def _filled(full: Sequence[DispatchTuple], residual: Configuration) -> tuple[DispatchTuple, ...]:
    """Full tuples with one machine more."""
    machines = 1 + sum(round(part.machines) for part in full if part.configuration == residual)
    others = [part for part in full if part.configuration != residual]
    return in_dispatch_order([*others, DispatchTuple.full(residual, machines)])


def structures_with(
    full: Sequence[DispatchTuple], residual: Configuration | None, module: ModuleProblem, dispatch: Dispatch
) -> tuple[Structure, ...]:
    """Structures of ``module`` with these full tuples, in dispatch order, and this residual, if any."""
    if not keeps_streams(dispatch):
        return (Structure.of(full, residual, module.rate, dispatch),)
    if residual is None:
        return (Structure(tuple(full), None, 0.0, module.latency(full, dispatch), ()),)
    assert module.stream is not None, "compiled from a pipeline"
    return tuple(_paced(tuple(full), residual, module.stream)) if full else _alone(residual, module.stream)


@lru_cache(maxsize=4_096)
def _alone(residual: Configuration, stream: Stream) -> tuple[Structure, ...]:
    """One partly used machine: every search of a module asks for the same."""
    return tuple(_paced((), residual, stream))


def _paced(full: tuple[DispatchTuple, ...], residual: Configuration, stream: Stream) -> Iterator[Structure]:
    stated = {residual.is_capacity, *(part.configuration.is_capacity for part in full)}
    top = -upward(-exact_throughput(residual))
    least = _left(full, residual, stream, top)
    if stated == {True}:
        slowest = max(c.duration for c in (residual, *(part.configuration for part in full)))
        yield Structure(full, residual, least, slowest, ())
    elif stated == {False}:
        delays = [(s / stream.rate, float(turn + 1)) for s, turn in corners(stream.wave, 1 if full else residual.batch)]
        if full:
            demands = demands_by_deadline(full, [float(exact_rate(part)) for part in full], residual, delays)
            longest = max(part.configuration.duration for part in full)
            yield Structure(full, residual, least, max(longest, residual.duration), _binding(demands), top)
            return
        demands = [Demand(residual.batch * turns, residual.duration - seconds, 0.0) for seconds, turns in delays]
        yield Structure((), residual, least, residual.duration, _binding(demands), top)
        yield from _at_once(residual, stream, top)


def _at_once(residual: Configuration, stream: Stream, top: float) -> Iterator[Structure]:
    known = at_once_rate(residual, stream)
    if known is not None:
        rate, wait = known
        yield Structure((), residual, upward(rate), float(exact(residual.duration) + wait), (), top)


def _left(full: Sequence[DispatchTuple], residual: Configuration, stream: Stream, top: float) -> float:
    """Requests per second that the full tuples leave to the residual: a visible share of it, or none.

    What its machine just serves at worst, ``top``, is not rounded up beyond that.
    """
    left = stream.wave.rate * exact(stream.rate) - sum((exact_rate(part) for part in full), Fraction(0))
    if left <= 0:
        return 0.0
    least = upward(left)
    rounded = least * (1 + _ROUNDING)
    return max(min(rounded, top) if least <= top else rounded, _VISIBLE * residual.throughput)


def _binding(demands: Sequence[Demand]) -> tuple[Demand, ...]:
    return tuple(demand for demand in demands if demand.work > 0)
