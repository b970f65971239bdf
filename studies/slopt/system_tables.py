"""Tables of SLOpt beside whole systems: mean and standard deviation over the days that were judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from studies.slopt.tables import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = ["pipeline", "trace", "start"]


def systems_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Per pipeline and system at the headroom chosen for SLOpt's cost: cost and service over all days."""
    found = []
    at_cost = rows[rows["aim"].ne("p99")]
    for (pipeline, system), group in at_cost.groupby(["pipeline", "system"], sort=False):
        found.append(
            {
                "pipeline": pipeline,
                "system": system,
                "headroom": _range(group["headroom"]),
                "$/h": spread(group["cost"], 2),
                "P99 ms of finished": spread(group["p99"] * 1e3, 0),
                "days with at most 1 % lost": f"{int(group['p99_all'].notna().sum())} of {len(group)}",
                "in time %": spread(group["in_time"] * 100, 2),
                "dropped %": spread(group["dropped"] * 100, 2),
            }
        )
    return pd.DataFrame(found)


def _range(values: pd.Series[float]) -> str:
    """Least and largest of the headrooms, one a kind of trace."""
    if values.isna().all():
        return "-"
    return f"{values.min():.2f} to {values.max():.2f}"


def claims_table(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Per ``keys`` and system, each of its figures beside SLOpt's of the same day; medians and extremes.

    ``cost ratio`` is what the headroom for equal cost came to on the days judged. ``P99 ratio`` is the system's over
    SLOpt's, over all requests, a dropped one late; ``inf`` where either lost more than 1 %. ``P99 ratio of finished``
    leaves drops out. ``saved`` is 1 less SLOpt's cost over the system's at the headroom for equal P99, and ``P99 ratio
    there`` what that headroom came to; ``never`` where no headroom up to 2 reached SLOpt's P99.
    """
    found = []
    slopt = rows[rows["system"] == "slopt"].set_index(_DAY)
    others = rows[rows["aim"].notna()]
    for names, group in others.groupby([*keys, "system"], sort=False):
        at_cost = _beside(group[group["aim"] == "cost"], slopt)
        at_p99 = _beside(group[group["aim"] == "p99"], slopt)
        found.append(
            {
                **dict(zip([*keys, "system"], names, strict=True)),
                "cost ratio": _middle(at_cost["cost"], 2),
                "P99 ratio": _middle(at_cost["p99_all"], 2),
                "P99 ratio of finished": _middle(at_cost["p99"], 2),
                "in time %, less SLOpt's": _middle(at_cost["missed"], 2),
                "saved % at equal P99": _middle((1 - 1 / at_p99["cost"]) * 100, 0),
                "P99 ratio there": _middle(at_p99["p99_all"], 2),
            }
        )
    return pd.DataFrame(found)


def _beside(group: pd.DataFrame, slopt: pd.DataFrame) -> pd.DataFrame:
    """Figures over SLOpt's of the same day; ``missed`` is the difference of the shares in time, in percent."""
    days = group.set_index(_DAY)
    same = slopt.loc[days.index]
    ratios = days[["cost", "p99", "p99_all"]] / same[["cost", "p99", "p99_all"]]
    return ratios.fillna(math.inf).assign(missed=(days["in_time"] - same["in_time"]) * 100)


def _middle(values: pd.Series[float], digits: int) -> str:
    if values.empty:
        return "never"
    middle, least, most = (f"{value:.{digits}f}" for value in (values.median(), values.min(), values.max()))
    return f"{middle} ({least} to {most})"


def regret_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Per pipeline and trace: SLOpt's cost over the hindsight optimum's in percent, and what SLOpt's run measured."""
    found = []
    for (pipeline, trace), group in rows.groupby(["pipeline", "trace"], sort=False):
        slopt = group[group["system"] == "slopt"].set_index("start")
        best = group[group["system"] == "hindsight"].set_index("start")
        found.append(
            {
                "pipeline": pipeline,
                "trace": trace,
                "days": len(slopt),
                "optimum $/h": spread(best["cost"], 2),
                "regret %": spread((slopt["cost"] / best["cost"] - 1) * 100, 1),
                "P99 ms": spread(slopt["p99"] * 1e3, 0),
                "in time %": spread(slopt["in_time"] * 100, 2),
                "dropped %": spread(slopt["dropped"] * 100, 2),
                "its most machines": int(best["most"].max()),
                "gap proven": f"{float(((best['cost'] - best['bound']) / best['cost']).abs().max()):.0e}",
            }
        )
    return pd.DataFrame(found)
