"""Sponge beside its baselines over bandwidth traces: late requests and cores paid for.

Protocol: seeds 0 to 9, each one synthetic trace with the published range and mean; 600 s; requests evenly sent; SLO
1 s; all scalers on the same requests; planning and serving with the refit l(b, c), up to 16 cores and batch 16.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from harpagon.formulations.sponge.core_latency import SPONGE_REFIT, fit_core_latency
from harpagon.instances.cpu.profile import published_yolo_profile
from harpagon.simulation.sponge.bandwidth import synthetic_bandwidth
from harpagon.simulation.sponge.registry import make_scaler
from harpagon.simulation.sponge.requests import send_requests
from harpagon.simulation.sponge.run import run_scaler

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (100e3, 200e3, 500e3)
RATES = (20.0, 100.0)
SEEDS = range(10)
SCALERS = ("sponge", "sponge-code", "fa2", "fa2-blind", "fa2-informed", "vpa", "static-8", "static-16")
DURATION = 600.0
SLO = 1.0
CHANGE_COSTS = (0.0, 0.5, 1.0, 2.0, 4.0)


def violation_rows(
    sizes: Sequence[float] = SIZES,
    rates: Sequence[float] = RATES,
    seeds: Sequence[int] = SEEDS,
    scalers: Sequence[str] = SCALERS,
    duration: float = DURATION,
    drop_late: bool = True,
) -> pd.DataFrame:
    """One row per size (bytes), rate (req/s), seed and scaler."""
    profile = SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 17))
    rows = []
    for size, rate, seed in product(sizes, rates, seeds):
        requests = send_requests(synthetic_bandwidth(seed), rate, size, SLO, duration)
        for name in scalers:
            run = run_scaler(make_scaler(name, profile, SLO), requests, profile, duration, rate, drop_late)
            rows.append(
                {
                    "size_kb": size / 1e3,
                    "rate_rps": rate,
                    "seed": seed,
                    "scaler": name,
                    "requests": len(requests),
                    "violations": run.violations,
                    "unavoidable": run.unavoidable,
                    "avoidable": run.violations - run.unavoidable,
                    "core_seconds": run.core_seconds,
                    "changes": run.changes,
                }
            )
    return pd.DataFrame(rows)


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the seeds, one row per size, rate and scaler in the order they came."""
    columns = ("violations", "unavoidable", "avoidable", "core_seconds", "changes")
    wanted = {f"{column}_{figure}": (column, figure) for column in columns for figure in ("mean", "std")}
    return rows.groupby(["size_kb", "rate_rps", "scaler"], sort=False).agg(**wanted).reset_index()


def ratios_to_sponge(rows: pd.DataFrame) -> pd.DataFrame:
    """Violations of every scaler over those of Sponge, per size and rate, summed over the seeds."""
    sums = rows.groupby(["size_kb", "rate_rps", "scaler"], sort=False)[["violations", "avoidable"]].sum()
    sponge = sums.xs("sponge", level="scaler")
    return (sums / sponge).rename(columns=lambda column: f"{column}_ratio").reset_index()


def duration_rows(
    size: float = 500e3,
    rates: Sequence[float] = RATES,
    seeds: Sequence[int] = SEEDS,
    duration: float = DURATION,
) -> pd.DataFrame:
    """Sponge planning with the fit or with the measured points, while the measured durations pass.

    Both plan on the measured core counts and batch sizes, up to 16; one row per rate (req/s), seed and source.
    """
    measured = published_yolo_profile().within(16, 16)
    fitted = fit_core_latency(published_yolo_profile()).latency
    sources = {"fit": fitted.profile("yolo", measured.cores, measured.batches), "table": measured}
    rows = []
    for rate, seed in product(rates, seeds):
        requests = send_requests(synthetic_bandwidth(seed), rate, size, SLO, duration)
        for source, profile in sources.items():
            run = run_scaler(make_scaler("sponge", profile, SLO), requests, measured, duration, rate)
            avoidable = run.violations - run.unavoidable
            figures = {"avoidable": avoidable, "core_seconds": run.core_seconds}
            rows.append({"rate_rps": rate, "seed": seed, "source": source, **figures})
    return pd.DataFrame(rows)


def change_cost_rows(
    size: float = 500e3,
    rate: float = 100.0,
    seeds: Sequence[int] = SEEDS,
    costs: Sequence[float] = CHANGE_COSTS,
    duration: float = DURATION,
) -> pd.DataFrame:
    """Sponge with a cost of change: one row per cost (cores) and seed."""
    profile = SPONGE_REFIT.profile("yolo", range(1, 17), range(1, 17))
    rows = []
    for seed in seeds:
        requests = send_requests(synthetic_bandwidth(seed), rate, size, SLO, duration)
        for cost in costs:
            run = run_scaler(make_scaler("sponge", profile, SLO, cost), requests, profile, duration, rate)
            avoidable = run.violations - run.unavoidable
            figures = {"changes": run.changes, "core_seconds": run.core_seconds, "avoidable": avoidable}
            rows.append({"change_cost": cost, "seed": seed, **figures})
    return pd.DataFrame(rows)
