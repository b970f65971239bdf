"""Tables of the report as cells: the same for the HTML page and for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.comparison import BASE, BASELINES, OWN, cost_ratios, largest_gaps, order_losses
from harpagon.evaluation.gaps.tables import REFERENCE, SAME_COST, reported_dispatches, summarise
from harpagon.evaluation.report.surface_tables import headline_table, readings_table, surface_table
from harpagon.evaluation.report.table import Table, milliseconds, percent
from harpagon.instances.policies import APART, Dispatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.evaluation.gaps.tables import Summary
    from harpagon.evaluation.sweep.rows import Row

_WORST = 12
_CLAIMED_OPTIMAL = "91.5 % equal the brute-force optimum"
_CLAIMED_TIME = "milliseconds"


def report_tables(rows: Sequence[Row]) -> list[Table]:
    """Every table of the report that the rows have something for."""
    billings = list(dict.fromkeys(row.billing for row in rows))
    apart = [row for row in rows if row.billing in APART]
    tables = [readings_table(apart), claims_table(apart)] if apart else []
    for billing in billings:
        mine = [row for row in rows if row.billing == billing]
        tables.append(method_table(mine, billing))
        tables += [headline_table(mine, billing), surface_table(mine, billing)]
        tables += [ratio_table(mine, billing, base) for base in (BASE, OWN)]
        tables += [worst_table(mine, billing, method) for method in followed_methods(mine)]
        tables.append(order_table(mine, billing))
    return [table for table in tables if table.rows]


def followed_methods(rows: Sequence[Row]) -> list[str]:
    """Methods whose gaps are listed: Harpagon and our own; all but the reference where neither was run."""
    methods = dict.fromkeys(row.method for row in rows if row.method != REFERENCE)
    return [method for method in methods if method in (BASE, OWN)] or list(methods)


def claims_table(rows: Sequence[Row]) -> Table:
    """What the abstract of Harpagon claims, beside ours in each billing."""
    billings = list(dict.fromkeys(row.billing for row in rows))
    summaries = {(one.billing, one.method): one for one in summarise(rows)}
    cells: list[tuple[str, ...]] = []
    for method in (BASE, OWN):
        own = [summaries.get((billing, method)) for billing in billings]
        if any(one is None for one in own):
            continue
        claimed = (_CLAIMED_OPTIMAL, _CLAIMED_TIME) if method == BASE else ("", "")
        for dispatch, said in ((Dispatch.TC, claimed[0]), (Dispatch.FREE, "")):
            shares = [_share(one, dispatch) for one in own if one]
            cells.append((f"{method} at the {dispatch} optimum", said, *shares))
        times = [f"{milliseconds(one.median_s)}, {milliseconds(one.p99_s)}" for one in own if one]
        cells.append((f"{method} run time: median, 99th percentile", claimed[1], *times))
    for dispatch in (Dispatch.TC, Dispatch.FREE):
        cells.append((f"proven {dispatch} optima", "", *[_proven(rows, billing, dispatch) for billing in billings]))
    headings = ("", "the paper's abstract", *(f"ours, {billing}" for billing in billings))
    return Table("claims", "Claims of the paper and our figures", headings, cells)


def _share(summary: Summary, dispatch: Dispatch) -> str:
    gap = summary.gaps[dispatch]
    return f"{percent(gap.optimal / summary.workloads)} ({gap.optimal} of {summary.workloads})"


def _proven(rows: Sequence[Row], billing: str, dispatch: str) -> str:
    mine = [row for row in rows if row.series == (billing, REFERENCE, dispatch)]
    seconds = sum(row.seconds for row in mine)
    return f"{sum(row.status == 'optimal' for row in mine)} of {len(mine)}, {seconds:.1f} s together"


def method_table(rows: Sequence[Row], billing: str) -> Table:
    """Per method: plans, shares at the optima, gaps over the last of them, times."""
    policies = reported_dispatches(billing)
    at = (f"at {policy} opt." for policy in policies)
    headings = ("method", "plans", *at, "mean gap", "p95 gap", "max gap", "median", "p99")
    cells = []
    for one in summarise(rows):
        gap = one.gaps[policies[-1]]
        shares = [percent(one.gaps[policy].optimal / one.workloads) for policy in policies]
        gaps = [percent(figure) for figure in (gap.mean, gap.p95, gap.largest)]
        times = [milliseconds(figure) for figure in (one.median_s, one.p99_s)]
        cells.append((one.label, f"{one.planned} of {one.workloads}", *shares, *gaps, *times))
    return Table(
        f"methods-{billing}", f"Methods, {billing} billing; gaps over the {policies[-1]} optimum", headings, cells
    )


def ratio_table(rows: Sequence[Row], billing: str, base: str) -> Table:
    """Cost of every other method over ``base``, workload by workload; ablations of ``base`` and baselines."""
    start = "harp-" if base == BASE else "plus-"
    headings = ("method", "compared", "no plan", "min", "mean", "max", "dearer on", "cheaper on")
    cells = [
        (
            *(one.method, str(one.compared), str(one.missing)),
            *(f"{figure:.3f}" for figure in (one.smallest, one.mean, one.largest)),
            *(percent(count / one.compared) for count in (one.dearer, one.cheaper)),
        )
        for one in cost_ratios(rows, base)
        if one.method.startswith(start) or one.method in (BASE, OWN, *BASELINES)
    ]
    if not any(row.method == base for row in rows):
        cells = []
    name = "plus" if base == OWN else base
    return Table(f"over-{name}-{billing}", f"Cost over {base}, {billing} billing", headings, cells)


def worst_table(rows: Sequence[Row], billing: str, method: str) -> Table:
    """Workloads on which a heuristic is farthest from the optimum."""
    cells = [
        (one.workload, f"{one.cost:.3f}", f"{one.optimum:.3f}", percent(one.gap))
        for one in largest_gaps(rows, method, _WORST)
    ]
    name = "plus" if method == OWN else method
    caption = (
        f"Where {method} is farthest from the {reported_dispatches(billing)[-1]} optimum, {billing} billing ($/hour)"
    )
    return Table(f"worst-{name}-{billing}", caption, ("workload", "cost", "optimum", "gap"), cells)


def order_table(rows: Sequence[Row], billing: str) -> Table:
    """Workloads on which ordering tuples by throughput-cost ratio costs most."""
    cells = [
        (one.workload, f"{one.tc_cost:.3f}", f"{one.free_cost:.3f}", percent(one.loss))
        for one in order_losses(rows)[:_WORST]
        if one.loss > SAME_COST
    ]
    caption = f"Where TC order loses most to free order, {billing} billing ($/hour)"
    return Table(f"order-{billing}", caption, ("workload", "tc optimum", "free optimum", "loss"), cells)
