"""The report of a gap study: tables and figures as files, and one HTML page that holds them all."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

from harpagon.evaluation.gaps.tables import REFERENCE, proven_optima, reported_dispatches, summarise
from harpagon.evaluation.plotting.gaps import gap_figure, time_figure
from harpagon.evaluation.plotting.saving import save_figure
from harpagon.evaluation.plotting.surface import surface_figure
from harpagon.evaluation.report import html_page
from harpagon.evaluation.report.figures import order_figure, place_figure, ratio_figure, share_figure
from harpagon.evaluation.report.table import markdown, percent
from harpagon.evaluation.report.tables import followed_methods, report_tables
from harpagon.evaluation.report.workloads import workload_plans, workload_table
from harpagon.instances.files.writing import replacing, write_text
from harpagon.instances.policies import APART, Billing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from harpagon.evaluation.report.table import Table
    from harpagon.evaluation.sweep.rows import Row

_TITLE = "How far from optimal: planning methods over a suite"

_ABOUT = {
    "claims": "The paper's figures come from its abstract; its workloads and profiles are not public to us, and what "
    "we run is a reconstruction. Read the two columns side by side, not as the same experiment.",
    "methods": "A plan is at the optimum when it costs at most 1e-6 (relative) more. Shares are of all workloads; a "
    "workload without a plan counts as not optimal and enters no gap.",
    "over": "Ratios of cost, workload by workload, over those that both methods have a plan of.",
    "headline": "A system is read in every way that its public texts allow; each reading has its own name. Ratios over "
    "the workloads that every system plans, and where the range that the abstract claims, 1.49 to 2.37, lies in them.",
    "surface": "The same ratios by request rate, tightness of the objective and spread of prices: one mean hides that "
    "they are ratios of prices and rates.",
    "worst": "`harpagon plan WORKLOAD` shows the optimal plan, `--method` that of a heuristic.",
    "workloads": "A click on a gap shows its plan beside the optimum's; a click on a heading sorts.",
    "order": "Harpagon dispatches to the tuple of the best throughput-cost ratio first. Any order is allowed under "
    "`free`; what that saves is shown here.",
}


_OPTIMA = (
    (
        "`tc` is the best plan whose tuples stand in the order of throughput-cost ratio, `free` the best in any order.",
        APART,
    ),
    (
        "Under shared billing whole machines may host several modules, which take turns; `paced` is the least that "
        "keeps every result in time on them. The condition and its proof stand in docs/shared.md.",
        (Billing.SHARED,),
    ),
)
"""What the optima mean, and the billings that know them."""


def write_report(rows: Sequence[Row], folder: Path) -> Path:
    """Write ``report.html``, every table as CSV and Markdown, and every figure as SVG into ``folder``.

    Returns
    -------
    Path
        Of the page.
    """
    billings = list(dict.fromkeys(row.billing for row in rows))
    workloads = {billing: [row for row in rows if row.billing == billing] for billing in billings}
    lists = [workload_table(mine, billing) for billing, mine in workloads.items()]
    tables = [*report_tables(rows), *lists]
    figures = report_figures(rows)
    for table in tables:
        with (
            replacing(folder / f"{table.name}.csv") as unfinished,
            unfinished.open("w", encoding="utf-8", newline="") as file,
        ):
            csv.writer(file).writerows([table.headings, *table.rows])
        write_text(folder / f"{table.name}.md", f"{markdown(table)}\n")
    for name, (figure, _) in figures.items():
        save_figure(figure, folder / f"{name}.svg", metadata={"Date": None})
    path = folder / "report.html"
    plans = {table.name: workload_plans(mine) for table, mine in zip(lists, workloads.values(), strict=True)}
    write_text(path, html_page.page(_TITLE, _parts(rows, tables, figures, plans)))
    return path


def report_figures(rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Name to figure and caption, in the order of the page; figures without anything to show are left out."""
    made = {
        "share-optimal": (share_figure(rows), "Share of workloads planned at the cost of the optimum."),
        "gap-distribution": (
            gap_figure(rows),
            "Share of workloads within a gap. Left means cheaper; the axis is linear up to 1 %, logarithmic beyond.",
        ),
        "gap-by-place": (
            place_figure(rows),
            "Mean gap over the free optimum against the tightness of the objective and the request rate.",
        ),
        **_surfaces(rows),
        "ablations": (ratio_figure(rows), "What each part is worth: mean extra cost when it is left out or replaced."),
        "times": (time_figure(rows), "Share of workloads planned within a time."),
        "order": (order_figure(rows), "Workloads on which TC order costs more than free order, by how much."),
    }
    return {name: (figure, caption) for name, (figure, caption) in made.items() if figure is not None}


def _surfaces(rows: Sequence[Row]) -> dict[str, tuple[Figure | None, str]]:
    caption = "Mean cost of each system over Harpagon, {} billing; framed cells lie within the claimed 1.49 to 2.37."
    billings = dict.fromkeys(row.billing for row in rows)
    return {
        f"surface-{billing}": (surface_figure([row for row in rows if row.billing == billing]), caption.format(billing))
        for billing in billings
    }


def _parts(
    rows: Sequence[Row],
    tables: Sequence[Table],
    figures: Mapping[str, tuple[Figure, str]],
    plans: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> Iterator[str]:
    yield html_page.paragraph(_scope(rows), quiet=True)
    yield html_page.tiles(_headline(rows))
    surfaces = tuple(name for name in figures if name.startswith("surface-"))
    sections = (
        ("The paper's claims", ("claims",), ()),
        ("Who finds the optimum", ("methods",), ("share-optimal", "gap-distribution")),
        ("The systems before Harpagon", ("headline", "surface"), surfaces),
        ("Cost beside Harpagon", ("over",), ("ablations",)),
        ("Where the gaps are", ("worst",), ("gap-by-place",)),
        ("How long it takes", (), ("times",)),
        ("What the TC order costs", ("order",), ("order",)),
        ("Workload by workload", ("workloads",), ()),
    )
    for title, kinds, names in sections:
        shown = [table for table in tables if table.name.split("-")[0] in kinds]
        drawn = [figures[name] for name in names if name in figures]
        if not shown and not drawn:
            continue
        yield html_page.heading(title)
        yield from (html_page.paragraph(_ABOUT[kind]) for kind in kinds)
        if "methods" in kinds:
            billings = {row.billing for row in rows}
            yield from (html_page.paragraph(text) for text, known in _OPTIMA if billings & set(known))
        yield from (html_page.image(figure, caption) for figure, caption in drawn)
        for table in shown:
            yield html_page.table(table.caption, table.headings, table.rows, plans.get(table.name))


def _scope(rows: Sequence[Row]) -> str:
    workloads = len({row.instance for row in rows})
    methods = len({row.method for row in rows})
    versions = ", ".join(sorted({row.version for row in rows}))
    return (
        f"{workloads:,} workloads, {methods} methods, {len(rows):,} solves, harpagon {versions}. Costs are in dollars "
        "per hour. Every plan passed the independent checker; the protocol stands in docs/benchmark-protocol.md."
    )


def _headline(rows: Sequence[Row]) -> list[tuple[str, str]]:
    proofs = Counter(row.status for row in rows if row.method == REFERENCE)
    found = [(f"{proofs['optimal']:,} of {proofs.total():,}", "optima proven, all policies and billings together")]
    optima, followed = proven_optima(rows), followed_methods(rows)
    for one in summarise(rows):
        if one.method in followed and optima:
            policy = reported_dispatches(one.billing)[-1]
            share = percent(one.gaps[policy].optimal / one.workloads)
            found.append((share, f"of the workloads: {one.method} at the {policy} optimum, {one.billing} billing"))
    return found
