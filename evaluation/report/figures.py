"""Figures of the report: share optimal, where gaps lie, what each part is worth, what the order costs."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.comparison import BASE, OWN, cost_ratios, order_losses
from harpagon.evaluation.gaps.features import Features, features
from harpagon.evaluation.gaps.tables import (
    REFERENCE,
    SAME_COST,
    gaps,
    proven_optima,
    reported_dispatches,
    summarise,
)
from harpagon.evaluation.plotting.palette import PLAIN, colour, panels
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harpagon.evaluation.sweep.rows import Row

_TIGHTNESS_EDGES = (1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.4)
_STRENGTHS = (1.0, 0.5)
_RATE_EDGES = (20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0)


def share_figure(rows: Sequence[Row]) -> Figure:
    """Share of all workloads on which each method costs no more than each optimum, one panel per billing."""
    summaries = [one for one in summarise(rows) if one.method != REFERENCE]
    billings = list(dict.fromkeys(one.billing for one in summaries))
    methods = list(dict.fromkeys(one.method for one in summaries))
    figure, axes = panels(1, len(billings), height=max(2.4, 0.34 * len(methods) + 0.8))
    for axis, billing in zip(axes[0], billings, strict=True):
        mine = [one for one in summaries if one.billing == billing]
        policies = reported_dispatches(billing)
        height = 0.72 / len(policies)
        for k, dispatch in enumerate(policies):
            axis.barh(
                [i + height * (k + 0.5) - 0.36 for i in range(len(mine))],
                [100 * one.gaps[dispatch].optimal / one.workloads for one in mine],
                height=height,
                color=[colour(one.method) or PLAIN for one in mine],
                alpha=_STRENGTHS[k],
                label=f"of the {dispatch} optimum",
            )
        _name_bars(axis, [one.method for one in mine])
        axis.set_xlim(0, 100)
        axis.set_title(f"{billing} billing")
        named = (f"{policy} optimum ({name})" for policy, name in zip(policies, ("strong", "pale"), strict=False))
        axis.set_xlabel(f"share of workloads at the cost (%) of the\n{', '.join(named)}")
    return figure


def place_figure(rows: Sequence[Row]) -> Figure | None:
    """Mean gap over the ``free`` optimum against tightness and rate; None without workload names."""
    billings = list(dict.fromkeys(row.billing for row in rows))
    planned = [row for row in rows if row.method in (BASE, OWN) and features(row.workload) is not None]
    if not planned:
        return None
    optima = proven_optima(rows)
    figure, axes = panels(2, len(billings), height=3.0)
    for j, billing in enumerate(billings):
        for method in (BASE, OWN):
            series = [row for row in planned if (row.billing, row.method) == (billing, method)]
            if series:
                _trend(axes[0][j], series, optima, _TIGHTNESS_EDGES, lambda one: one.tightness)
                _trend(axes[1][j], series, optima, _RATE_EDGES, lambda one: one.rate)
        axes[0][j].set_title(f"{billing} billing")
        axes[0][j].set_xlabel("SLO over reference latency")
        axes[1][j].set_xlabel("request rate (req/s)")
        for axis in (axes[0][j], axes[1][j]):
            axis.set_ylabel("mean gap (%)")
            axis.set_ylim(bottom=0)
            axis.legend(frameon=False)
    return figure


def _trend(
    axis: Axes,
    rows: Sequence[Row],
    optima: dict[tuple[str, str, str], float],
    edges: Sequence[float],
    measure: Callable[[Features], float],
) -> None:
    """Mean gap within each bin, drawn at the bin's median."""
    bins: list[list[tuple[float, float]]] = [[] for _ in range(len(edges) + 1)]
    for row in rows:
        known, found = features(row.workload), gaps([row], optima, Dispatch.FREE)
        if known is not None and found:
            bins[bisect_right(edges, measure(known))].append((measure(known), 100 * found[0]))
    filled = [part for part in bins if part]
    places = [statistics.median(x for x, _ in part) for part in filled]
    means = [statistics.fmean(y for _, y in part) for part in filled]
    axis.plot(places, means, marker="o", markersize=4, label=rows[0].method, color=colour(rows[0].method))
    axis.set_xscale("log")
    marks = [edge for i, edge in enumerate(edges) if i % 2 == 0]
    axis.set_xticks(marks, [f"{mark:g}" for mark in marks])
    axis.minorticks_off()


def ratio_figure(rows: Sequence[Row]) -> Figure | None:
    """Mean cost of every ablation over the heuristic that it belongs to; None without ablations."""
    panels_of = [(BASE, "harp-"), (OWN, "plus-")]
    found = [
        (base, [one for one in cost_ratios(rows, base) if one.method.startswith(start)]) for base, start in panels_of
    ]
    found = [(base, ratios) for base, ratios in found if ratios]
    if not found:
        return None
    billings = list(dict.fromkeys(one.billing for _, ratios in found for one in ratios))
    longest = max(len({one.method for one in ratios}) for _, ratios in found)
    figure, axes = panels(len(found), len(billings), height=0.26 * longest + 1.0)
    for i, (base, ratios) in enumerate(found):
        for axis, billing in zip(axes[i], billings, strict=True):
            mine = [one for one in ratios if one.billing == billing]
            means = [100 * (one.mean - 1) for one in mine]
            axis.barh(range(len(mine)), means, height=0.7, color=PLAIN)
            for place, mean in enumerate(means):
                axis.annotate(f" {mean:.2f}", (max(mean, 0.0), place), va="center", fontsize="small")
            _name_bars(axis, [one.method for one in mine])
            axis.margins(x=0.15)
            axis.set_title(f"{billing} billing")
            axis.set_xlabel(f"mean cost over {base} (%)")
    return figure


def order_figure(rows: Sequence[Row]) -> Figure | None:
    """How much the ``tc`` optimum costs over the ``free`` optimum, where it does; None where it never does."""
    losses = [one for one in order_losses(rows) if one.loss > SAME_COST]
    if not losses:
        return None
    billings = list(dict.fromkeys(one.billing for one in losses))
    figure, axes = panels(1, len(billings), height=3.0)
    from matplotlib.ticker import MaxNLocator

    edges = [0.5 * k for k in range(int(200 * losses[0].loss) + 2)]
    for axis, billing in zip(axes[0], billings, strict=True):
        mine = [100 * one.loss for one in losses if one.billing == billing]
        axis.hist(mine, bins=edges, color=colour(REFERENCE))
        axis.set_title(f"{billing} billing: {len(mine)} workloads")
        axis.set_xlabel("tc optimum over free optimum (%)")
        axis.set_ylabel("workloads")
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _name_bars(axis: Axes, names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), list(names))
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
