"""The stages of SLOpt and what each can be swapped for, by name, as the command line has them too."""

from __future__ import annotations

from enum import StrEnum


class Estimation(StrEnum):
    """Where a module's demand comes from."""

    CASCADE = "cascade"
    """The root's forecast pushed through the schedules: an envelope with its bursts."""
    FANOUT = "fanout"
    """The root's forecast times the measured fan-out: a rate."""
    LAST = "last"
    """The module's own arrival rate in the last period."""
    EWMA = "ewma"
    """Exponentially weighted mean of the module's own rates."""
    PEAK = "peak"
    """Largest of the module's own rates within `PEAK_PERIODS`."""


class Forecast(StrEnum):
    """How the root's rate and fan-out are looked ahead."""

    ADJUSTED = "adjusted"
    """A quantile of what followed the most similar windows of other days, adjusted to the present."""
    ANALOGS = "analogs"
    """The same as it followed; of both, the trend where there are too few other days."""
    TREND = "trend"
    """Holt's damped trend, widened by the errors it made."""


class Provisioner(StrEnum):
    """What chooses configurations and budgets; `harpagon.simulation.slopt.run` has the solvers."""

    EXACT = "exact"
    PYOMO = "pyomo"
    GREEDY = "greedy"


class Tuning(StrEnum):
    """When a module's machines follow its load."""

    AHEAD = "ahead"
    REACTIVE = "reactive"
