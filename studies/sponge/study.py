"""The studies of docs/sponge.md by name: ``python -m studies.sponge.study NAME [--out FILE.csv]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def agreement() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three methods on every variant, rate and cl_max; batches up to 16 on up to 16 cores."""
    from harpagon.formulations.sponge.core_latency import SPONGE_REFIT
    from studies.sponge.agreement import agreement_rows

    rows = agreement_rows(SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 17)))
    times = rows[["enumeration_s", "pyomo_s", "cp_sat_s"]]
    summary = times.quantile([0.5, 0.99, 1.0]).mul(1e3).rename(columns=lambda name: name.removesuffix("_s") + "_ms")
    for name in ("pyomo", "cp_sat"):
        summary[f"{name}_ratio"] = (rows[f"{name}_s"] / rows["enumeration_s"]).quantile([0.5, 0.99, 1.0])
    summary["agree"] = f"{rows['agree'].sum()} of {len(rows)}"
    return rows, summary.reset_index(names="quantile")


def violations() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sponge and its baselines; requests that cannot be in time are given up when their turn comes."""
    return _violations(drop_late=True)


def violations_no_drop() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same, with every request served however late."""
    return _violations(drop_late=False)


def queue_order() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sponge with and without reordering of its queue, 500 KB at 100 req/s."""
    from studies.sponge.violations import summarise, violation_rows

    rows = violation_rows(sizes=(500e3,), rates=(100.0,), scalers=("sponge", "sponge-fcfs"))
    return rows, summarise(rows)


def durations() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sponge planning with the fit or with the measured points, while the measured durations pass."""
    from studies.sponge.violations import duration_rows

    rows = duration_rows()
    return rows, rows.groupby(["rate_rps", "source"])[["avoidable", "core_seconds"]].agg(["mean", "std"])


def change_cost() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sponge with a cost of change."""
    from studies.sponge.violations import change_cost_rows

    rows = change_cost_rows()
    return rows, rows.groupby("change_cost")[["changes", "core_seconds", "avoidable"]].agg(["mean", "std"])


def scaling() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Vertical, horizontal and joint scaling of 200 three-module pipelines."""
    from studies.sponge.scaling import scaling_rows
    from studies.sponge.scaling_suite import scaling_suite

    rows = scaling_rows(scaling_suite(200))
    cheaper = rows[rows["saving"] > 1e-9]
    summary = {
        "pipelines": len(rows),
        "joint cheaper than either": len(cheaper),
        "joint only": int((rows["alone"].isna() & rows["joint"].notna()).sum()),
        "no vertical plan": int(rows["vertical"].isna().sum()),
        "no horizontal plan": int(rows["horizontal"].isna().sum()),
        "mean saving": rows["saving"].mean(),
        "mean saving where cheaper": cheaper["saving"].mean(),
        "largest saving": rows["saving"].max(),
        "mean saving against vertical": (1 - rows["joint"] / rows["vertical"]).mean(),
        "mean saving against horizontal": (1 - rows["joint"] / rows["horizontal"]).mean(),
    }
    return rows, pd.DataFrame(summary.items(), columns=["figure", "value"])


def pipeline() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A three-module pipeline resized in place every second, beside fixed sizes."""
    from studies.sponge.pipelines import pipeline_rows

    rows = pipeline_rows()
    figures = ["violations", "unavoidable", "avoidable", "core_seconds", "changes"]
    return rows, rows.groupby("scaler", sort=False)[figures].agg(["mean", "std"])


def accuracy() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The accuracy-cost frontier of a two-module pipeline with five variants a module."""
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.exact.solve import solve_exact
    from harpagon.solvers.sensitivity.variants import accuracy_frontier
    from studies.sponge.accuracy_suite import variant_pipeline

    instance, variants = variant_pipeline()
    found = accuracy_frontier(instance, variants, lambda chosen: solve_exact(chosen, Billing.WHOLE, Dispatch.TC))
    rows = pd.DataFrame([{**point.models, "accuracy": point.accuracy, "cores": point.plan.cost} for point in found])
    return rows, rows


STUDIES: dict[str, Callable[[], tuple[pd.DataFrame, pd.DataFrame]]] = {
    "agreement": agreement,
    "violations": violations,
    "violations-no-drop": violations_no_drop,
    "queue-order": queue_order,
    "durations": durations,
    "change-cost": change_cost,
    "scaling": scaling,
    "pipeline": pipeline,
    "accuracy": accuracy,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one study, print its summary, and keep its rows where --out says."""
    parser = argparse.ArgumentParser(prog="python -m studies.sponge.study")
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write every row here")
    chosen = parser.parse_args(arguments)
    rows, summary = STUDIES[chosen.study]()
    if chosen.out is not None:
        rows.to_csv(chosen.out, index=False)
    with pd.option_context("display.width", 200, "display.max_columns", 30, "display.max_rows", 200):
        sys.stdout.write(f"{summary.round(4).to_string()}\n")


def _violations(*, drop_late: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    from studies.sponge.violations import ratios_to_sponge, summarise, violation_rows

    rows = violation_rows(drop_late=drop_late)
    return rows, summarise(rows).merge(ratios_to_sponge(rows), on=["size_kb", "rate_rps", "scaler"], sort=False)


if __name__ == "__main__":
    main()
