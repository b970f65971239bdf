"""SLOpt beside whole systems: ``python -m studies.slopt.systems``.

Protocol: pipelines, fleets of 64 machines, start-up and decisions as in `studies.slopt.study`. Every system of
`harpagon.simulation.slopt.systems` has its own planner, controller, order of the queue and drop rule, and one headroom
a pipeline, chosen on other days than it is judged on: on seed 0 of all four kinds of trace and judged on seeds 500 and
up, or on two windows of a trace file and judged on later ones. It is chosen twice by runs at `HEADROOMS`, linear
between them: for SLOpt's mean cost over those days, and for SLOpt's mean P99. A dropped request counts as late in P99,
which is then infinite where more than 1 % are dropped or in flight; beside it stands P99 of what finished. The largest
second of a window of a file is scaled to the pipeline's peak.

    python -m studies.slopt.systems --seeds 3 --rows synthetic.jsonl
    python -m studies.slopt.systems --trace workload.txt --windows 10 --seconds 60 --rows twitter.jsonl
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harpagon.evaluation.sweep.row_file import JsonLines
from harpagon.evaluation.sweep.sweep import run_study
from harpagon.instances.library.slopt_pipelines import PEAKS, PIPELINES, slopt_instance
from harpagon.simulation.slopt.run import plan_reference, reference_rate, run_slopt
from harpagon.simulation.slopt.systems.planners import plan_assignments
from harpagon.simulation.slopt.systems.system import SYSTEMS, run_system
from harpagon.simulation.slopt.workload import days_before, generate_workload, read_counts, window_of
from studies.slopt.study import ANALOGS, FULL, SECONDS, TRACES, TREND, hindsight_figures, run_figures
from studies.slopt.system_tables import claims_table, regret_table, systems_table
from studies.slopt.tables import cost_at_latency, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.arrivals.processes import CountArrivals
    from harpagon.simulation.slopt.run import SystemOptions
    from harpagon.simulation.slopt.workload import Workload

SLOPTS = {"slopt": FULL, "analogs": ANALOGS, "trend": TREND}
"""SLOpt, and with its two older forecasts."""
HEADROOMS = (1.0, 1.3, 1.6, 2.0)
CHOSEN_SEED = 0
JUDGED_SEEDS = tuple(range(500, 510))
FILE_START = 90_000
"""Seconds into a trace file at which the first window begins that headrooms are chosen on: after its first day."""
FILE_STEP = 86_400 + 7_200
"""Seconds from one window to the next: a day and two hours, so that windows fall on all hours."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a cell serves: a generated trace by its seed, or a window of a file by its start.

    Attributes
    ----------
    pipeline
        Key of `PEAKS`.
    trace
        Key of the generators, or path of a file.
    start
        Seed of a generated trace, or the second at which the window begins.
    seconds
        Length.
    """

    pipeline: str
    trace: str
    start: int
    seconds: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        """Key of the row it makes."""
        return (self.pipeline, self.trace, self.start, self.seconds)

    @property
    def chosen_on(self) -> tuple[Day, ...]:
        """The days on which headrooms are chosen for it."""
        if self.trace in TRACES:
            return tuple(replace(self, trace=trace, start=CHOSEN_SEED) for trace in TRACES)
        starts = (FILE_START, FILE_START + FILE_STEP // 2)
        return tuple(replace(self, start=start, seconds=min(self.seconds, 60)) for start in starts)


@cache
def load_day(day: Day) -> tuple[Workload, tuple[Workload, ...]]:
    """The trace and its history; the largest second of a window of a file is scaled to the pipeline's peak."""
    peak = PEAKS[day.pipeline]
    if day.trace in TRACES:
        days = days_before(day.trace, peak, day.seconds, day.start)
        return generate_workload(day.trace, peak, day.seconds, day.start), days
    recorded = file_counts(day.trace)
    largest = recorded.counts[day.start : day.start + day.seconds].max()
    return window_of(day.trace, recorded, day.start, day.seconds, peak / float(largest))


@cache
def file_counts(path: str) -> CountArrivals:
    """Counts of a trace file, read once."""
    return read_counts(path)


@dataclass(frozen=True, slots=True)
class DayRows:
    """What every system made of one day."""

    pipeline: str
    trace: str
    start: int
    seconds: int
    systems: list[dict[str, Any]]

    @property
    def key(self) -> tuple[str, str, int, int]:
        """The day."""
        return (self.pipeline, self.trace, self.start, self.seconds)


def chosen_headrooms(days: Sequence[Day]) -> dict[str, tuple[float, float]]:
    """Per system its headroom for SLOpt's cost, and for SLOpt's P99, over days; infinity where none reaches that."""
    slopt = [_slopt_figures(day) for day in days]
    chosen = {}
    for name in SYSTEMS:
        tried = [[_system_figures(day, name, headroom) for day in days] for headroom in HEADROOMS]
        equal_cost = float(np.interp(_mean_cost(slopt), [_mean_cost(each) for each in tried], HEADROOMS))
        equal_p99 = cost_at_latency(HEADROOMS, [_mean_p99(each) for each in tried], _mean_p99(slopt))
        chosen[name] = equal_cost, equal_p99
    return chosen


def _mean_cost(runs: Sequence[dict[str, Any]]) -> float:
    return sum(float(figures["cost"]) for figures in runs) / len(runs)


def _mean_p99(runs: Sequence[dict[str, Any]]) -> float:
    """Infinite where more than 1 % were lost on any day."""
    return sum(math.inf if figures["p99_all"] is None else float(figures["p99_all"]) for figures in runs) / len(runs)


def _slopt_figures(day: Day, options: SystemOptions = FULL) -> dict[str, Any]:
    workload, history = load_day(day)
    return run_figures(run_slopt(slopt_instance(day.pipeline), workload, options, day.start, history=history))


def _system_figures(day: Day, name: str, headroom: float) -> dict[str, Any]:
    instance = slopt_instance(day.pipeline)
    workload, _ = load_day(day)
    options = replace(FULL.tuning, headroom=headroom)
    assignments = plan_assignments(instance, reference_rate(workload), SYSTEMS[name].planner)
    return run_figures(run_system(instance, workload, name, options, day.start, assignments))


def run_day(day: Day, chosen: dict[str, tuple[float, float]]) -> DayRows:
    """SLOpt, the same with its older forecasts, every system at both of its headrooms, and the hindsight optimum."""
    rows: list[dict[str, Any]] = [
        {"system": name, "headroom": 1.0, **_slopt_figures(day, options)} for name, options in SLOPTS.items()
    ]
    for name, headrooms in chosen.items():
        for aim, headroom in zip(("cost", "p99"), headrooms, strict=True):
            if math.isfinite(headroom):
                rows.append({"system": name, "aim": aim, "headroom": headroom, **_system_figures(day, name, headroom)})
    instance = slopt_instance(day.pipeline)
    workload, _ = load_day(day)
    step = plan_reference(instance, reference_rate(workload), FULL)
    rows.append({"system": "hindsight", **hindsight_figures(instance, workload, day.start, step)})
    return DayRows(*day.key, rows)


def judged_days(
    trace: str | None, windows: int, seeds: int, seconds: int, pipelines: Sequence[str] = PIPELINES
) -> list[Day]:
    """Days that no choice is made on."""
    if trace is None:
        starts = product(pipelines, TRACES, JUDGED_SEEDS[:seeds])
        return [Day(pipeline, name, seed, seconds) for pipeline, name, seed in starts]
    starts_in_file = (FILE_START + k * FILE_STEP for k in range(1, windows + 1))
    return [Day(pipeline, trace, start, seconds) for start, pipeline in product(starts_in_file, pipelines)]


def study_rows(days: Sequence[Day], file: Path | None = None) -> pd.DataFrame:
    """Rows of all days; those that ``file`` holds already are not run again."""
    choices: dict[tuple[Day, ...], dict[str, tuple[float, float]]] = {}

    def run(day: Day) -> DayRows:
        on = day.chosen_on
        if on not in choices:
            choices[on] = chosen_headrooms(on)
        return run_day(day, choices[on])

    done = run_study(days, run, None if file is None else JsonLines(file, DayRows), 1)
    rows = [
        {"pipeline": d.pipeline, "trace": Path(d.trace).stem, "start": d.start, **r} for d in done for r in d.systems
    ]
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study and print its tables as Markdown."""
    parser = argparse.ArgumentParser(description="SLOpt beside whole systems")
    parser.add_argument(
        "--trace", default=None, metavar="FILE", help="windows of this file in place of generated traces"
    )
    parser.add_argument("--pipelines", nargs="+", choices=PIPELINES, default=PIPELINES, help="which")
    parser.add_argument("--windows", type=int, default=10, help="of the file")
    parser.add_argument("--seeds", type=int, default=2, help="how many of the seeds from 500 on")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of a trace or window")
    parser.add_argument("--rows", type=Path, default=None, help="JSON lines of finished days: resumed and appended to")
    arguments = parser.parse_args()
    days = judged_days(arguments.trace, arguments.windows, arguments.seeds, arguments.seconds, arguments.pipelines)
    rows = study_rows(days, arguments.rows)
    claims = (claims_table(rows, keys) for keys in (["pipeline"], ["pipeline", "trace"]))
    for table in (regret_table(rows), systems_table(rows), *claims):
        print(f"\n{markdown(table)}", flush=True)


if __name__ == "__main__":
    main()
