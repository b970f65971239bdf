"""SLOpt beside its baselines: ``python -m studies.slopt.study``.

Protocol: two pipelines (`harpagon.instances.library.slopt_pipelines`) on fleets of 64 machines, four generated traces
of 40 s, seeds 100 to 109 (forecast weights were chosen on seeds 0 and 1). A seed fixes the trace, the arrivals and the
fan-outs, so all systems of a cell (pipeline, trace, seed) serve the same requests; fan-outs are drawn in the order of
completions.
Machines start in 2 s and are paid from the start of their start-up; decisions once a second. Twenty other days of the
same kind are known, seed + 1000, seed + 2000 and so on.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from harpagon.evaluation.sweep.row_file import JsonLines
from harpagon.evaluation.sweep.sweep import run_study
from harpagon.instances.library.slopt_pipelines import PEAKS, PIPELINES, slopt_instance
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.slopt.hindsight import run_hindsight
from harpagon.simulation.slopt.run import (
    SystemOptions,
    plan_reference,
    reference_rate,
    run_slopt,
    stage_swaps,
)
from harpagon.simulation.slopt.stages import Estimation, Forecast, Tuning
from harpagon.simulation.slopt.tuning import TuningOptions
from harpagon.simulation.slopt.workload import days_before, generate_workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harpagon.instances.instance import Instance
    from harpagon.simulation.slopt.report import SloptRun
    from harpagon.simulation.slopt.workload import Workload
    from harpagon.solvers.slopt.provision import PlanningStep

TRACES = ("bursts", "diurnal", "fanout", "steps")
SEEDS = tuple(range(100, 110))
SECONDS = 40
FLEET = 64
BASELINE_HEADROOMS = (1.2, 1.4, 1.7)
PROACTIVE_HEADROOMS = (1.1, 1.4)
FULL = SystemOptions(TuningOptions(fleet=FLEET))
"""SLOpt: cascade estimation, forecasts by analogy, exact provisioning, ahead-of-time tuning, adaptive batch drop."""
ANALOGS = replace(FULL, tuning=replace(FULL.tuning, forecast=Forecast.ANALOGS, quantile=0.9, counted=False))
"""SLOpt with a lower quantile of what followed similar windows as it was, and a count per period that is open."""
TREND = replace(FULL, tuning=replace(FULL.tuning, forecast=Forecast.TREND, patience=4))
"""SLOpt with a damped trend, widened by its errors, and a patience of 4 s."""
BASELINE = SystemOptions(
    TuningOptions(Estimation.LAST, Tuning.REACTIVE, margin=False, patience=4, fleet=FLEET), Drop.NONE
)
"""What tracks each module's own last rate with a fixed headroom and drops nothing."""


def systems() -> dict[str, SystemOptions]:
    """All systems by name: SLOpt, each stage swapped, and the baselines at several headrooms.

    Drop policies are compared without the margin for forecast errors, since with it hardly a request is in danger.
    """
    found = {"slopt": FULL, **forecast_parts(), **stage_swaps(TREND, ()), "drop none": replace(FULL, drop=Drop.NONE)}
    lean = replace(TREND, tuning=replace(TREND.tuning, margin=False))
    found |= {f"no margin, drop {drop}": replace(lean, drop=drop) for drop in Drop}
    for headroom in BASELINE_HEADROOMS:
        found[f"reactive x{headroom:g}"] = with_headroom(BASELINE, headroom)
    for headroom in PROACTIVE_HEADROOMS:
        found[f"reactive+proactive x{headroom:g}"] = replace(with_headroom(BASELINE, headroom), drop=Drop.PROACTIVE)
    return found


def forecast_parts() -> dict[str, SystemOptions]:
    """From the trend to SLOpt's forecast, one part after the other."""
    tuning = TREND.tuning
    return {
        "trend": TREND,
        "trend, patience 2": replace(TREND, tuning=replace(tuning, patience=None)),
        "analogs": ANALOGS,
        "analogs, quantile 0.93": replace(ANALOGS, tuning=replace(ANALOGS.tuning, quantile=FULL.tuning.quantile)),
        "adjusted": replace(FULL, tuning=replace(FULL.tuning, counted=False)),
        "slopt, closed loop": replace(FULL, tuning=replace(FULL.tuning, closed_loop=True)),
    }


def with_headroom(options: SystemOptions, headroom: float) -> SystemOptions:
    """The same system with another factor on demand."""
    return replace(options, tuning=replace(options.tuning, headroom=headroom))


def run_figures(run: SloptRun) -> dict[str, Any]:
    """What is kept of a run; raises `AssertionError` where requests are lost.

    ``p99_all`` counts what is dropped or in flight as late: None where that is more than 1 % of all requests.
    """
    conserve(run)
    p99_all = run.quantile_of_all(0.99)
    return {
        "p50": run.quantile(0.5),
        "p99": run.quantile(0.99),
        "p99_all": p99_all if math.isfinite(p99_all) else None,
        "in_time": run.attainment,
        "goodput": run.goodput,
        "dropped": run.dropped / run.arrived,
        "cost": run.cost_per_hour,
        "started": run.started,
        "requests": run.arrived,
    }


def conserve(run: SloptRun) -> None:
    """Assert arrived = finished + dropped + in flight, for requests and for the items of every module."""
    assert run.arrived == run.finished + run.dropped + run.in_flight
    for module in run.modules:
        assert module.arrived == module.finished + module.dropped + module.waiting


def cell_rows(
    pipeline: str, trace: str, seed: int, chosen: Mapping[str, SystemOptions] | None = None, seconds: int = SECONDS
) -> list[dict[str, Any]]:
    """One row per chosen system (None for all of `systems`), and one for the hindsight optimum."""
    instance = slopt_instance(pipeline)
    workload = generate_workload(trace, PEAKS[pipeline], seconds, seed)
    history = days_before(trace, PEAKS[pipeline], seconds, seed)
    cell = {"pipeline": pipeline, "trace": trace, "seed": seed}
    plans: dict[object, PlanningStep] = {}
    rows = []
    for name, options in (chosen or systems()).items():
        key = options.tuning.estimation is Estimation.CASCADE, options.solve
        if key not in plans:
            plans[key] = plan_reference(instance, reference_rate(workload), options)
        run = run_slopt(instance, workload, options, seed, plans[key], history)
        rows.append({**cell, "system": name, **run_figures(run)})
    rows.append({**cell, "system": "hindsight", **hindsight_figures(instance, workload, seed, plans[True, FULL.solve])})
    return rows


@dataclass(frozen=True, slots=True)
class Cell:
    """One workload that every system serves."""

    pipeline: str
    trace: str
    seed: int

    @property
    def key(self) -> tuple[str, str, int]:
        """Key of the row it makes."""
        return (self.pipeline, self.trace, self.seed)


@dataclass(frozen=True, slots=True)
class CellRow:
    """What every system made of one cell: `cell_rows`."""

    pipeline: str
    trace: str
    seed: int
    systems: list[dict[str, Any]]

    @property
    def key(self) -> tuple[str, str, int]:
        """The cell."""
        return (self.pipeline, self.trace, self.seed)


def run_cell(cell: Cell) -> CellRow:
    """Run every system on one cell."""
    return CellRow(*cell.key, cell_rows(*cell.key))


def hindsight_figures(instance: Instance, workload: Workload, seed: int, step: PlanningStep) -> dict[str, Any]:
    """The optimum, its time, and what it comes to when it is run without drops."""
    optimum, run = run_hindsight(instance, workload, seed, FULL.tuning, step)
    return {
        **run_figures(run),
        "cost": (optimum.objective or math.inf) / workload.duration * 3600.0,
        "bound": optimum.dual_bound / workload.duration * 3600.0,
        "solve_s": optimum.build_time + optimum.solve_time,
        "most": run.most_machines,
    }


def study_rows(
    pipelines: Sequence[str] = PIPELINES,
    traces: Sequence[str] = TRACES,
    seeds: Sequence[int] = SEEDS,
    workers: int = 1,
    file: Path | None = None,
) -> pd.DataFrame:
    """Rows of all cells; those that ``file`` holds already are not run again, the others are appended to it."""
    cells = [Cell(p, t, s) for p, t, s in sorted(product(pipelines, traces, seeds))]
    done = run_study(cells, run_cell, None if file is None else JsonLines(file, CellRow), workers)
    return pd.DataFrame([row for cell in done for row in cell.systems])


def main() -> None:
    """Run the study and print its tables as Markdown."""
    from studies.slopt.tables import claims_table, hindsight_table, markdown, systems_table, totals_table

    parser = argparse.ArgumentParser(description="SLOpt beside its baselines")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many of the seeds 100 to 109")
    parser.add_argument("--rows", type=Path, default=None, help="JSON lines of finished cells: resumed and appended to")
    arguments = parser.parse_args()
    seeds = SEEDS[: arguments.seeds]
    rows = study_rows(seeds=seeds, workers=arguments.workers, file=arguments.rows)
    tables = {
        "Systems by trace": systems_table(rows),
        "Systems over all traces": totals_table(rows),
        "Claims": claims_table(rows),
        "Hindsight": hindsight_table(rows),
    }
    for title, table in tables.items():
        print(f"\n### {title}\n\n{markdown(table)}")


if __name__ == "__main__":
    main()
