"""``harpagon gap``: how far each method is from the proven optimum, over a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import (
    BillingOption,
    GapOption,
    JsonOption,
    PluginOption,
    ThreadsOption,
    TimeLimitOption,
    load_plugins,
    solver_options,
)
from harpagon.instances.policies import APART, Billing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.evaluation.sweep.rows import Row, RowFile, Task
    from harpagon.instances.instance import Instance

_SHOWN_FAILURES = 10

_HELP = """Solve a suite with several methods and compare every plan with the proven optimum.

For every workload and billing the exact method proves the optimum under tc dispatch (the order of Harpagon), under
free dispatch (any order) and, where machines are bought whole, under paced dispatch (what a plan must cost to keep the
objective for every stream of its class). The table says for every method how many plans it found, how many of them
cost no more than each optimum, the mean, 95th-percentile and largest cost over it (%), and the median and
99th-percentile run time. Rows, tables and figures are written into a folder. Stopped at any time, it keeps every
finished solve; the same command goes on from there, and solves again what other code, options or solvers had solved.
A solve that ends its worker process is tried once more and then kept as failed. How times are taken stands in
docs/benchmark-protocol.md.

[bold]Examples[/bold]

  harpagon gap

  harpagon gap --methods harpagon,harp-nd,harp-0re --billing fractional

  harpagon gap --suite paper --methods heuristics --workers 2 --report study

  harpagon gap --suite paper --every 8

  harpagon gap --suite mine.yaml --suite traffic-198rps-350ms --workers 2 --out study

  harpagon gap --plugin mine.py --methods my-heuristic,harpagon

[bold]Exit codes[/bold]  0 done; 2 bad input or usage; 3 a plan failed the check; 4 a solve failed, or the machine;
130 interrupted, finished solves kept
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("gap", help=_HELP)(gap)


def gap(
    suite: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SUITE",
            help="A shipped suite, an instance file, or the name of a shipped instance; may be repeated.",
            show_default="smoke",
        ),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Methods, separated by commas, or [bold]heuristics[/] for all of them; the exact optima are always "
            "proven.",
            show_default="exact,harpagon; under shared billing all that plan for it",
        ),
    ] = None,
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Only every N-th instance of each suite.")] = 1,
    billing: BillingOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; with more than one, run times disturb another.")] = 1,
    plugin: PluginOption = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Solve on the Dask cluster of this scheduler, such as tcp://127.0.0.1:8786 "
            "(extra harpagon\\[cluster]).",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Also write tables, figures and one HTML page that holds them.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for rows, tables and figures.",
            show_default="that of --report, else harpagon-gap",
        ),
    ] = None,
    memory_limit: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="GB",
            help="Memory of each worker; a solve that needs more fails (Linux).",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Solve again what the folder has rows of.")] = False,
    time_limit: TimeLimitOption = None,
    tolerance: GapOption = 0.0,
    threads: ThreadsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    from harpagon.evaluation.gaps.study import study_tasks
    from harpagon.evaluation.sweep.row_file import owned
    from harpagon.evaluation.sweep.rows import RowFile
    from harpagon.instances.files.writing import make_folder

    options = solver_options(time_limit, tolerance, threads, log=False)
    load_plugins(plugin)
    names = _method_names(methods, billing)
    billings = list(APART) if billing is None else [billing]
    tasks = study_tasks(_instances(suite or ["smoke"], every), names, billings, options)
    out = out or report or Path("harpagon-gap")
    for folder in {out, report or out}:
        make_folder(folder)
    if scheduler is not None and memory_limit is not None:
        raise typer.BadParameter("is given to `dask worker` where there is a --scheduler", param_hint="--memory-limit")
    memory = None if memory_limit is None else int(memory_limit * 1e9)
    sweeping = {"workers": workers, "scheduler": scheduler, "memory": memory, "fresh": fresh, "isolated": True}
    with owned(out):
        rows, interrupted = _run(tasks, RowFile(out / "rows.jsonl"), sweeping)
        _report(rows, len(tasks), out, as_json=as_json)
        if report is not None and rows:
            _write_report(rows, report)
    _end(rows, interrupted, len(tasks), out)


def _end(rows: Sequence[Row], interrupted: bool, tasks: int, out: Path) -> None:
    """Say what went wrong, and leave with its exit code."""
    failed = [row for row in rows if row.failed]
    for row in failed[:_SHOWN_FAILURES]:
        note(f"failed: {row.workload}, {row.billing}, {row.method} ({row.dispatch}): {row.reason}")
    if failed:
        note(f"{len(failed)} of {tasks} solves failed; the same command tries them again")
    if interrupted:
        note(f"interrupted: {len(rows)} of {tasks} solves are kept in {out}; the same command goes on from there")
        raise typer.Exit(ExitCode.INTERRUPTED)
    if failed:
        refused = any(row.status == "check-failed" for row in failed)
        raise typer.Exit(ExitCode.CHECK_FAILED if refused else ExitCode.MACHINE_FAILED)


def _method_names(listed: str | None, billing: Billing | None) -> list[str]:
    """Names of the methods asked for.

    Raises
    ------
    UnsupportedError
        Where machines are to be shared and one of them does not plan for that.
    """
    from harpagon.solvers.capabilities import UnsupportedError
    from harpagon.solvers.method import Kind
    from harpagon.solvers.methods import METHODS, find_method, load_entry_points

    shares = billing is Billing.SHARED
    listed = listed or ("exact,heuristics" if shares else "exact,harpagon")
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter("name at least one method", param_hint="--methods")
    load_entry_points()
    sharing = [name for name, method in METHODS.items() if Billing.SHARED in method.capabilities.billings]
    if "heuristics" in names:
        known = [method.name for method in METHODS.values() if method.kind is Kind.HEURISTIC]
        names += [name for name in known if name in sharing or not shares]
        names = [name for name in names if name != "heuristics"]
    for name in names:
        if find_method(name).name not in sharing and shares:
            raise UnsupportedError(name, "shared billing", tuple(sharing))
    return names


def _instances(names: Sequence[str], every: int) -> list[Instance]:
    from harpagon.instances.library.shipped import resolve
    from harpagon.instances.library.suites import suite, suite_names

    found: list[Instance] = []
    for name in names:
        found += suite(name)[::every] if name in suite_names() else [resolve(name)]
    return found


def _run(tasks: Sequence[Task], file: RowFile, sweeping: dict[str, Any]) -> tuple[list[Row], bool]:
    """Rows in the order of the tasks, and whether the sweep was interrupted."""
    from harpagon.cli.views.sweep_progress import sweep_progress
    from harpagon.evaluation.gaps.study import run_tasks
    from harpagon.evaluation.sweep.sweep import finished_rows

    before, interrupted = file.read(), False
    with sweep_progress(len(tasks)) as report:
        try:
            rows = run_tasks(tasks, file, finished=report, **sweeping)
        except KeyboardInterrupt:
            rows, interrupted = finished_rows(tasks, file), True
    reused = sorted(row.made for row in rows if before.get(row.key) == row)
    if reused:
        note(f"reused {len(reused)} of {len(tasks)} rows, made from {reused[0]} to {reused[-1]}; --fresh solves anew")
    return rows, interrupted


def _write_report(rows: Sequence[Row], folder: Path) -> None:
    from harpagon.evaluation.report.report import write_report

    note(f"the report is {write_report(rows, folder)}")


def _report(rows: Sequence[Row], tasks: int, folder: Path, *, as_json: bool) -> None:
    from harpagon.cli.views.gap import gap_tables
    from harpagon.evaluation.gaps.study import write_tables
    from harpagon.evaluation.gaps.tables import summarise, summary_records
    from harpagon.evaluation.plotting.gaps import draw_gaps, draw_times

    summaries = summarise(rows)
    if rows:
        write_tables(rows, folder)
        draw_gaps(rows, folder / "gaps.png")
        draw_times(rows, folder / "times.png")
    if as_json:
        show_json({"folder": str(folder), "tasks": tasks, "finished": len(rows), "methods": summary_records(summaries)})
    else:
        show(*gap_tables(summaries))
    note(f"rows, tables and figures are in {folder}")
