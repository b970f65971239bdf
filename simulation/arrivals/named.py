"""Arrivals by name: the ``--arrivals`` flag."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError
from harpagon.simulation.arrivals.processes import EvenArrivals, GammaArrivals, ModulatedArrivals
from harpagon.simulation.arrivals.traces import read_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.simulation.arrivals.processes import Arrivals

FORMS = "even|slow:PERCENT|poisson|gamma:CV|mmpp:PEAK,SHARE,SECONDS|FILE"
_LARGEST_SLOWNESS = 1e6
_LARGEST_VARIATION = 100.0
_LARGEST_PEAK = 1e3
_LARGEST_STAY = 1e8


def parse_arrivals(text: str) -> Arrivals:
    """Arrival process of a flag: one of `FORMS`.

    Raises
    ------
    InputError
        Where it is none of these, or the file is no trace.
    """
    if text == "even":
        return EvenArrivals()
    if text == "poisson":
        return GammaArrivals()
    name, separator, figures = text.partition(":")
    if separator and name in _PARAMETRIC:
        return _PARAMETRIC[name](text, figures)
    if not Path(text).exists():
        raise InputError(text, "", "is no arrival process and no file", f"Give one of {FORMS}")
    return read_trace(text)


def _slow(text: str, figures: str) -> Arrivals:
    (percent,) = _numbers(figures, 1)
    if not 0 <= percent <= _LARGEST_SLOWNESS:
        problem = f"the percentage must be a number from 0 to {_LARGEST_SLOWNESS:g}"
        raise InputError(text, "", problem, "Write slow:30 for requests 30 % further apart than the rate says")
    return EvenArrivals(percent / 100)


def _gamma(text: str, figures: str) -> Arrivals:
    (variation,) = _numbers(figures, 1)
    if not 1 / _LARGEST_VARIATION <= variation <= _LARGEST_VARIATION:
        problem = "the coefficient of variation must be a number from 0.01 to 100"
        raise InputError(text, "", problem, "Write gamma:2 for gaps that vary twice as much as Poisson's")
    return GammaArrivals(variation)


def _modulated(text: str, figures: str) -> Arrivals:
    peak, share, seconds = _numbers(figures, 3)
    hint = "Write mmpp:3,0.2,5 for peaks of 3 times the mean rate, a fifth of the time, 5 s long on average"
    if not 1 < peak <= _LARGEST_PEAK:
        raise InputError(text, "", f"the peak must be above 1 and at most {_LARGEST_PEAK:g} times the mean rate", hint)
    if not 0 < share <= 1 / peak:
        raise InputError(text, "", f"the share of time in peaks must be above 0 and at most {1 / peak:.4g}", hint)
    if not 0 < seconds <= _LARGEST_STAY:
        raise InputError(text, "", f"the length of a peak must be above 0 and at most {_LARGEST_STAY:g} s", hint)
    return ModulatedArrivals(peak, share, seconds)


def _numbers(text: str, count: int) -> list[float]:
    """So many numbers, all NaN where the text is anything else."""
    try:
        numbers = [float(figure) for figure in text.split(",")]
    except ValueError:
        numbers = []
    return numbers if len(numbers) == count else [math.nan] * count


_PARAMETRIC: dict[str, Callable[[str, str], Arrivals]] = {"slow": _slow, "gamma": _gamma, "mmpp": _modulated}
