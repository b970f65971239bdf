"""Where "over 15x fewer violations than the horizontal autoscaler" holds: ``python -m studies.sponge.claim_map``.

Protocol: that of `studies.sponge.violations`, on seeds 20 and up, which nothing was looked at before; a batch takes
``weight`` times the refit. Networks: ``synthetic`` with the published range and mean, ``steadier`` with half the swing
about the same mean, and ``log``, a log of the 4G/LTE data set, where one is given. The claim is the ratio of FA2's
violations to Sponge's; both get one violation added a run, so that none against none is 1.

    python -m studies.sponge.claim_map --seeds 2 --log report_bus_0001.log
    python -m studies.sponge.claim_map --readings --log report_bus_0001.log
"""

from __future__ import annotations

import argparse
from dataclasses import astuple
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from harpagon.formulations.sponge.core_latency import SPONGE_REFIT, CoreLatency
from harpagon.simulation.sponge.bandwidth import BandwidthTrace, read_bandwidth_trace, synthetic_bandwidth
from harpagon.simulation.sponge.registry import HORIZONTAL, make_scaler
from harpagon.simulation.sponge.requests import send_requests
from harpagon.simulation.sponge.run import run_scaler
from studies.slopt.tables import markdown, spread
from studies.sponge.violations import DURATION, SIZES, SLO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WEIGHTS = (1.0, 2.0, 4.0)
RATES = (20.0, 60.0, 100.0)
FIRST_SEED = 20
READING_SEEDS = 10
SCALERS = ("sponge", *HORIZONTAL)


def networks(seeds: int, log: Path | None) -> dict[tuple[str, int], BandwidthTrace]:
    """Bandwidth traces by network and seed."""
    traces: dict[tuple[str, int], BandwidthTrace] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        traces["synthetic", seed] = synthetic_bandwidth(seed)
        traces["steadier", seed] = _steadier(synthetic_bandwidth(seed))
    return traces if log is None else {**traces, ("log", 0): read_bandwidth_trace(log)}


def _steadier(trace: BandwidthTrace) -> BandwidthTrace:
    mean = sum(trace.rates) / len(trace.rates)
    return BandwidthTrace(trace.times, tuple((rate + mean) / 2 for rate in trace.rates))


def map_rows(
    traces: Mapping[tuple[str, int], BandwidthTrace],
    weights: Sequence[float] = WEIGHTS,
    rates: Sequence[float] = RATES,
    sizes: Sequence[float] = SIZES,
    duration: float = DURATION,
) -> pd.DataFrame:
    """One row per network, seed, weight, rate (req/s), size (bytes) and scaler."""
    rows = []
    for ((network, seed), trace), weight, rate, size in product(traces.items(), weights, rates, sizes):
        heavier = CoreLatency(*(weight * coefficient for coefficient in astuple(SPONGE_REFIT)))
        profile = heavier.profile("yolo", range(1, 17), range(1, 17))
        requests = send_requests(trace, rate, size, SLO, duration)
        for name in SCALERS:
            run = run_scaler(make_scaler(name, profile, SLO), requests, profile, duration, rate)
            assert run.violations >= run.unavoidable
            figures = {"violations": run.violations, "unavoidable": run.unavoidable, "core_seconds": run.core_seconds}
            cell = {"network": network, "seed": seed, "weight": weight, "rate": rate, "size_kb": size / 1e3}
            rows.append({**cell, "scaler": name, "requests": len(requests), **figures})
    return pd.DataFrame(rows)


def map_table(rows: pd.DataFrame, avoidable: bool) -> pd.DataFrame:
    """Ratio of FA2's violations to Sponge's, one row per network, weight and rate, one column per size.

    Three figures a cell: `HORIZONTAL` in its order; ``-`` where Sponge itself misses more than a tenth of all requests.
    With ``avoidable``, requests that no scaler could save are left out.
    """
    counted = rows.assign(missed=rows["violations"] - (rows["unavoidable"] if avoidable else 0))
    found = []
    for (network, weight, rate), group in counted.groupby(["network", "weight", "rate"], sort=False):
        cells = {f"{size:g} KB": _ratios(part) for size, part in group.groupby("size_kb")}
        found.append({"network": network, "weight": f"x{weight:g}", "req/s": f"{rate:g}", **cells})
    return pd.DataFrame(found)


def _ratios(rows: pd.DataFrame) -> str:
    by_scaler = rows.groupby("scaler")
    missed, runs = by_scaler["missed"].sum(), int(by_scaler.size()["sponge"])
    if by_scaler["violations"].sum()["sponge"] > by_scaler["requests"].sum()["sponge"] / 10:
        return "-"
    return " · ".join(f"{(missed[name] + runs) / (missed['sponge'] + runs):.1f}" for name in HORIZONTAL)


def readings_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Violations and core-seconds per network, rate, size and scaler: mean and standard deviation over the seeds."""
    found = []
    for (network, rate, size, name), group in rows.groupby(["network", "rate", "size_kb", "scaler"], sort=False):
        found.append(
            {
                "network": network,
                "req/s": f"{rate:g}",
                "images": f"{size:g} KB",
                "scaler": name,
                "violations": spread(group["violations"], 1),
                "avoidable": spread(group["violations"] - group["unavoidable"], 1),
                "core-seconds": spread(group["core_seconds"], 0),
            }
        )
    return pd.DataFrame(found)


def main() -> None:
    """Run the study and print its tables as Markdown."""
    parser = argparse.ArgumentParser(description="The map of Sponge's claim")
    parser.add_argument("--seeds", type=int, default=2, help="synthetic traces of the map")
    parser.add_argument("--log", type=Path, default=None, help="a log of the 4G/LTE data set")
    parser.add_argument("--seconds", type=float, default=DURATION, help="length of a run of the map")
    parser.add_argument("--readings", action="store_true", help="the readings of FA2 on ten synthetic traces instead")
    arguments = parser.parse_args()
    if arguments.readings:
        traces = {key: trace for key, trace in networks(READING_SEEDS, arguments.log).items() if key[0] != "steadier"}
        rows = map_rows(traces, weights=(1.0,), rates=(20.0, 100.0), sizes=SIZES[1:])
        print(markdown(readings_table(rows)))
        return
    rows = map_rows(networks(arguments.seeds, arguments.log), duration=arguments.seconds)
    for avoidable in (False, True):
        print(f"\n{markdown(map_table(rows, avoidable))}", flush=True)


if __name__ == "__main__":
    main()
