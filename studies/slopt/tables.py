"""Tables of the SLOpt study: means with spread over the seeds, ratios at equal cost and at equal P99."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence


def systems_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Per pipeline and system, one column a trace: P99 in ms, share in time in percent, cost in $/h."""
    found = []
    for (pipeline, system), group in rows.groupby(["pipeline", "system"], sort=False):
        cells = {str(trace): _cell(seeds) for trace, seeds in group.groupby("trace", sort=False)}
        found.append({"pipeline": pipeline, "system": system, **cells})
    return pd.DataFrame(found)


def _cell(rows: pd.DataFrame) -> str:
    return " · ".join([spread(rows["p99"] * 1e3, 0), spread(rows["in_time"] * 100, 1), spread(rows["cost"], 1)])


def totals_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Per pipeline and system over all traces: means of the seeds' means, with their standard deviation."""
    found = []
    for (pipeline, system), group in rows.groupby(["pipeline", "system"], sort=False):
        seeds = group.groupby("seed")[["in_time", "goodput", "dropped", "cost", "started"]].mean()
        found.append(
            {
                "pipeline": pipeline,
                "system": system,
                "in time %": spread(seeds["in_time"] * 100, 2),
                "goodput req/s": spread(seeds["goodput"], 0),
                "dropped %": spread(seeds["dropped"] * 100, 2),
                "$/h": spread(seeds["cost"], 2),
                "machines started": spread(seeds["started"], 0),
            }
        )
    return pd.DataFrame(found)


def spread(values: pd.Series[float], digits: int) -> str:
    """Mean and standard deviation."""
    deviation = float(values.std()) if len(values) > 1 else 0.0
    return f"{values.mean():.{digits}f} ± {deviation:.{digits}f}"


def value_at_cost(costs: Sequence[float], values: Sequence[float], cost: float) -> float:
    """Value of a frontier at a cost: linear between its points, constant beyond them."""
    order = np.argsort(costs)
    return float(np.interp(cost, np.asarray(costs)[order], np.asarray(values)[order]))


def cost_at_latency(costs: Sequence[float], latencies: Sequence[float], latency: float) -> float:
    """Smallest cost at which a frontier comes down to a latency, linear between its points; infinity for never.

    Where the point before has no finite latency, the one after it stands.
    """
    points = sorted(zip(costs, latencies, strict=True))
    for i, (cost, reached) in enumerate(points):
        if reached <= latency:
            if i == 0:
                return cost
            before_cost, before = points[i - 1]
            if not math.isfinite(before):
                return cost
            return before_cost + (cost - before_cost) * (before - latency) / (before - reached)
    return math.inf


def claims_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Per pipeline and trace: SLOpt without drops against the reactive baseline at equal cost and at equal P99.

    ``P99 ratio`` is the baseline's P99 at SLOpt's cost over SLOpt's P99; ``cost saved`` is 1 - SLOpt's cost over the
    baseline's cost at SLOpt's P99; ``missed ratio`` is requests not in time, the baseline with proactive drop at
    SLOpt's cost over SLOpt with adaptive drop. Medians over the seeds, with the least and the largest.
    """
    found = []
    for (pipeline, trace), cell in rows.groupby(["pipeline", "trace"], sort=False):
        seeds = [_seed_claims(_by_system(group)) for _, group in cell.groupby("seed")]
        saved = [seed["saved"] for seed in seeds]
        reached = [value for value in saved if math.isfinite(value)]
        found.append(
            {
                "pipeline": pipeline,
                "trace": trace,
                "P99 ratio at equal cost": _range([seed["ratio"] for seed in seeds], 2),
                "cost saved at equal P99 %": _range([value * 100 for value in reached], 0) if reached else "-",
                "seeds where the baseline never gets there": len(saved) - len(reached),
                "missed ratio at equal cost": _range([seed["missed"] for seed in seeds], 2),
            }
        )
    return pd.DataFrame(found)


def _by_system(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    figures = rows.set_index("system")[["p99", "in_time", "cost"]]
    return {str(name): {str(key): float(value) for key, value in row.items()} for name, row in figures.iterrows()}


def _seed_claims(figures: dict[str, dict[str, float]]) -> dict[str, float]:
    """Claims of one seed, from system to figures."""
    slopt, dropping = figures["drop none"], figures["slopt"]
    costs, latencies = _frontier(figures, "reactive x", "p99")
    needed = cost_at_latency(costs, latencies, slopt["p99"])
    missed = 1 - value_at_cost(*_frontier(figures, "reactive+proactive", "in_time"), dropping["cost"])
    return {
        "ratio": value_at_cost(costs, latencies, slopt["cost"]) / slopt["p99"],
        "saved": 1 - slopt["cost"] / needed if math.isfinite(needed) else math.inf,
        "missed": (missed + _ROUNDING) / (1 - dropping["in_time"] + _ROUNDING),
    }


def _frontier(figures: dict[str, dict[str, float]], prefix: str, figure: str) -> tuple[list[float], list[float]]:
    """Costs and one figure of all systems whose names begin alike."""
    systems = [values for name, values in figures.items() if name.startswith(prefix)]
    return [values["cost"] for values in systems], [values[figure] for values in systems]


_ROUNDING = 1e-4
"""Added to shares of missed requests before they are divided: one in ten thousand counts as none."""


def _range(values: Sequence[float], digits: int) -> str:
    return f"{np.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def hindsight_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Per pipeline and trace: cost of SLOpt over the hindsight optimum, and how the optimum fares when it is run."""
    found = []
    for (pipeline, trace), cell in rows.groupby(["pipeline", "trace"], sort=False):
        by_system = {name: group.set_index("seed") for name, group in cell.groupby("system")}
        best, online = by_system["hindsight"], by_system["slopt"]
        found.append(
            {
                "pipeline": pipeline,
                "trace": trace,
                "optimum $/h": spread(best["cost"], 2),
                "SLOpt over it %": spread((online["cost"] / best["cost"] - 1) * 100, 1),
                "gap proven": f"{float(((best['cost'] - best['bound']) / best['cost']).abs().max()):.1e}",
                "solve s": spread(best["solve_s"], 2),
                "optimum run: P99 ms": spread(best["p99"] * 1e3, 0),
                "in time %": spread(best["in_time"] * 100, 2),
            }
        )
    return pd.DataFrame(found)


def regret_table(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Per ``keys`` and system: regret, P99 of what finished, and in how many cells fewer than 1 % were dropped.

    Regret and the share in time are in percent: mean and standard deviation over the cells.
    """
    cell = ["pipeline", "trace", "seed"]
    best = rows[rows["system"] == "hindsight"].set_index(cell)["cost"]
    online = rows[rows["system"] != "hindsight"].set_index(cell)
    online = online.assign(regret=(online["cost"] / best.reindex(online.index) - 1) * 100).reset_index()
    found = []
    for names, group in online.groupby([*keys, "system"], sort=False):
        found.append(
            {
                **dict(zip([*keys, "system"], names, strict=True)),
                "regret %": spread(group["regret"], 1),
                "P99 ms": spread(group["p99"] * 1e3, 0),
                "in time %": spread(group["in_time"] * 100, 2),
                "dropped %": spread(group["dropped"] * 100, 2),
                "P99 with drops late, finite in": f"{int(group['p99_all'].notna().sum())} of {len(group)}",
            }
        )
    return pd.DataFrame(found)


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).values.tolist()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
