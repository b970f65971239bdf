"""Options that the commands which simulate share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.instances.figures import figure

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.simulation.arrivals.processes import Arrivals

_DEFAULT_SECONDS = 60.0
_MOST_SECONDS = 1e8
_MOST_REQUESTS = 1e10

ArrivalsOption = Annotated[
    str,
    typer.Option(
        metavar="even|slow:P|poisson|gamma:CV|mmpp:...|FILE",
        help="Arrival process, or a trace file. slow:P comes P % slower than promised; mmpp with PEAK, SHARE, SECONDS "
        "has peaks of PEAK times the mean rate for a SHARE of the time, SECONDS long on average.",
    ),
]
ServiceOption = Annotated[
    str,
    typer.Option(
        metavar="profile|lognormal:CV",
        help="Batch durations: exactly as profiled, or lognormal around that with a coefficient of variation.",
    ),
]
StallOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE:MS",
        help="One batch of every tuple of the module takes MS longer, in the middle of the run. Repeatable.",
        show_default=False,
    ),
]
LoseOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODULE:K",
        help="K machines of the module are lost in the middle of the run, of its foremost tuples first; every tuple "
        "keeps one. Repeatable.",
        show_default=False,
    ),
]
DurationOption = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Seconds to simulate.", show_default="the length of the trace, or 60"),
]
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed gives the same run.")]


def simulated_seconds(duration: float | None, arrivals: Arrivals) -> float:
    """Seconds to simulate; a bad figure is a usage error."""
    from harpagon.simulation.arrivals.processes import recorded_duration

    if duration is None:
        recorded = recorded_duration(arrivals)
        return _DEFAULT_SECONDS if recorded is None else recorded
    if not (0 < duration <= _MOST_SECONDS and math.isfinite(duration)):
        raise typer.BadParameter(f"give seconds above 0 and up to {_MOST_SECONDS:g}", param_hint="--duration")
    return duration


def check_load(instance: Instance, arrivals: Arrivals, seconds: float) -> None:
    """Refuse runs that would not end in days."""
    from harpagon.simulation.arrivals.processes import recorded_duration

    rate = sum(pipeline.rate for pipeline in instance.pipelines)
    if recorded_duration(arrivals) is None and rate * seconds > _MOST_REQUESTS:
        asked = f"{seconds:g} s at {figure(rate, 6)} req/s"
        problem = f"{asked} are more than {figure(_MOST_REQUESTS)} requests: simulate fewer seconds"
        raise typer.BadParameter(problem, param_hint="--duration")
