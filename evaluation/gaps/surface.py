"""Cost over Harpagon as a surface: by request rate, tightness of the objective and spread of prices.

One mean hides that the ratio is a ratio of prices and rates. Here workloads are put into bands of their features, and
the headline is taken over the workloads that every system in the rows can plan, so that none is spared its hard ones.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harpagon.evaluation.gaps.comparison import BASE
from harpagon.evaluation.gaps.features import features
from harpagon.heuristics.baselines.readings import READINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harpagon.evaluation.gaps.features import Features
    from harpagon.evaluation.sweep.rows import Row

CLAIMED: Final = (1.49, 2.37)
"""Ratios that the abstract of Harpagon claims over the systems before it."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of one feature: below the first edge, between two, from the last edge on."""

    name: str
    unit: str
    edges: tuple[float, ...]
    measure: Callable[[Features], float]

    def band(self, known: Features) -> int:
        """Number of the band that a workload is in."""
        return bisect_right(self.edges, self.measure(known))

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the bands, in order."""
        inner = (f"{low:g} to {high:g}" for low, high in zip(self.edges, self.edges[1:], strict=False))
        return (f"below {self.edges[0]:g}", *inner, f"from {self.edges[-1]:g}")


RATE: Final = Bands("request rate", "req/s", (50.0, 150.0, 400.0, 1000.0), lambda known: known.rate)
TIGHTNESS: Final = Bands("SLO", "x reference latency", (1.6, 2.5, 4.0), lambda known: known.tightness)
SPREAD: Final = Bands("spread of prices", "dearest over cheapest", (2.0, 5.0), lambda known: known.price_spread)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Cost of one plan over Harpagon's, and the features of its workload (None for an instance without them)."""

    cost: float
    known: Features | None


@dataclass(frozen=True, slots=True)
class Headline:
    """One reading over the workloads that every system plans.

    Attributes
    ----------
    mean, median, low, high
        Of the ratios; ``low`` and ``high`` are the 5th and 95th percentiles.
    below, within, above
        Shares of the workloads with a ratio below, within and above `CLAIMED`.
    """

    mean: float
    median: float
    low: float
    high: float
    below: float
    within: float
    above: float


def common_rows(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """Rows of the workloads that Harpagon and every system in the rows can plan, and how many that leaves out.

    A workload counts once per billing; rows of methods that are no system (ablations, exact methods) go with it.
    """
    systems = {row.method for row in rows} & {BASE, *READINGS}
    planned: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        if row.method in systems and row.cost is not None:
            planned[row.problem].add(row.method)
    kept = {problem for problem, methods in planned.items() if methods == systems}
    return [row for row in rows if row.problem in kept], len({row.problem for row in rows}) - len(kept)


def ratios(rows: Iterable[Row]) -> dict[str, list[Ratio]]:
    """Reading to its ratios, in the order of `READINGS`; rows are of one billing."""
    found: dict[str, list[Ratio]] = {}
    listed = list(rows)
    base = {row.problem: row.cost for row in listed if row.method == BASE and row.cost is not None}
    for method in READINGS:
        mine = [row for row in listed if row.method == method and row.cost is not None and row.problem in base]
        if mine:
            found[method] = [Ratio((row.cost or 0.0) / base[row.problem], features(row.workload)) for row in mine]
    return found


def headline(found: Sequence[Ratio]) -> Headline:
    """Figures of one reading."""
    costs = sorted(one.cost for one in found)
    percentiles = statistics.quantiles(costs, n=20, method="inclusive") if len(costs) > 1 else costs * 19
    below = sum(cost < CLAIMED[0] for cost in costs) / len(costs)
    above = sum(cost > CLAIMED[1] for cost in costs) / len(costs)
    middle = (statistics.fmean(costs), statistics.median(costs))
    return Headline(*middle, percentiles[0], percentiles[-1], below, 1 - below - above, above)


def cells(found: Iterable[Ratio], *axes: Bands) -> dict[tuple[int, ...], list[float]]:
    """Bands on the axes to the ratios of the workloads in them; empty where no workload has features."""
    grouped: defaultdict[tuple[int, ...], list[float]] = defaultdict(list)
    for one in found:
        if one.known is not None:
            grouped[tuple(axis.band(one.known) for axis in axes)].append(one.cost)
    return dict(grouped)
