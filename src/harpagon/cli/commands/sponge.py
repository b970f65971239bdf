"""``harpagon sponge``: cores and batch size of one model for deadlines that change with the network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.files import require_figure
from harpagon.cli.inputs import JsonOption
from harpagon.formulations.sponge.problem import SpongeVariant

if TYPE_CHECKING:
    from harpagon.formulations.sponge.problem import SpongeDecision, SpongeProblem
    from harpagon.instances.cpu.profile import CoreProfile

_LARGEST_ERROR = 0.1
"""Mean relative error of the fit above which the measured points are planned with."""
_MOST_REQUESTS = 5_000_000

_HELP = """Choose CPU cores and batch size of one model, so that every request meets its own remaining deadline.

Solved once: cores and batch size for --rate req/s whose slowest request lost --communication ms on the network.
With --trace: requests of --size KB cross a link of changing bandwidth and are served second by second, by Sponge and
by the autoscalers it is compared with, side by side. Violations are requests that miss their deadline; core-seconds
are cores paid for, summed over time.

[bold]Examples[/bold]

  harpagon sponge --rate 100 --communication 50

  harpagon sponge --trace synthetic --seed 0 --size 500 --rate 100 --figure sponge.png

  harpagon sponge --trace link.csv --profile ocr-2cores --model detect --rate 3

  harpagon sponge --trace synthetic --pipeline ocr-2cores

A trace file is a CSV table with the columns time_s and bytes_per_second, or a .log of the 4G/LTE data set of Ghent.

[bold]Exit codes[/bold]  0 done; 1 no pair of cores and batch size meets the deadlines; 2 bad input or usage
"""


class Durations(StrEnum):
    """Which batch durations are planned with."""

    AUTO = "auto"
    FIT = "fit"
    TABLE = "table"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("sponge", help=_HELP)(sponge)


def sponge(
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A table (.csv) or an instance of [bold]harpagon profile[/].",
            show_default="the YOLO profile published with Sponge",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model of an instance file that holds several.", show_default=False)
    ] = None,
    durations: Annotated[
        Durations,
        typer.Option(
            help="Plan with the fitted l(b, c) over every core count and batch, or with the table of measured points; "
            "auto takes the table where the fit is off by more than 10 % in the mean."
        ),
    ] = Durations.AUTO,
    rate: Annotated[float, typer.Option(help="Requests per second.")] = 100.0,
    slo: Annotated[float, typer.Option(help="Milliseconds from sending to completion.")] = 1000.0,
    communication: Annotated[float, typer.Option(help="Solved once: milliseconds on the network, cl_max.")] = 50.0,
    variant: Annotated[
        SpongeVariant, typer.Option(help="Solved once: formula of the paper or its code.")
    ] = SpongeVariant.PAPER,
    method: Annotated[str | None, typer.Option(hidden=True)] = None,
    max_cores: Annotated[int, typer.Option(min=1, max=1024, help="Largest core count.")] = 16,
    max_batch: Annotated[int, typer.Option(min=1, max=1024, help="Largest batch size.")] = 16,
    trace: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|synthetic", help="Serve over this bandwidth, or over a generated one.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="With --trace synthetic: its seed.")] = 0,
    size: Annotated[float, typer.Option(help="With --trace: kilobytes per request.")] = 200.0,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANCE",
            help="With --trace: serve this instance's pipeline, one container a module, at its rate and SLO.",
            show_default=False,
        ),
    ] = None,
    duration: Annotated[float, typer.Option(help="With --trace: seconds.")] = 600.0,
    scalers: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="With --trace: which ones.", show_default="all")
    ] = None,
    change_cost: Annotated[
        float, typer.Option(help="With --trace: cores that a change must save to be worth it.")
    ] = 0.0,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --trace: draw the runs to .png, .svg or .pdf.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    if method is not None:
        hint = (
            "is gone: the enumeration decides, which is exact; leave it out (docs/sponge.md has the reference models)"
        )
        raise typer.BadParameter(hint, param_hint="--method")
    _check_flags(rate, slo, communication, size, duration, change_cost, figure, trace)
    if trace is None:
        if pipeline is not None:
            raise typer.BadParameter("goes with --trace", param_hint="--pipeline")
        candidates = _candidates(profile, model, durations, max_cores, max_batch)
        _decide(candidates, rate, slo / 1e3, communication / 1e3, variant, as_json=as_json)
        return
    from harpagon.cli.commands.sponge_pipeline import serve_pipeline
    from harpagon.cli.commands.sponge_trace import read_or_make_bandwidth, report_runs, serve_model
    from harpagon.simulation.sponge.registry import default_scalers

    bandwidth = read_or_make_bandwidth(trace, seed, duration)
    if pipeline is not None:
        if figure is not None:
            raise typer.BadParameter("draws one model only, not --pipeline", param_hint="--figure")
        serve_pipeline(pipeline, bandwidth, size * 1e3, duration, change_cost, as_json=as_json)
        return
    candidates = _candidates(profile, model, durations, max_cores, max_batch)
    names = tuple(name.strip() for name in scalers.split(",")) if scalers else default_scalers(candidates)
    runs = serve_model(bandwidth, candidates, names, rate, slo / 1e3, size * 1e3, duration, change_cost)
    if figure is not None:
        from harpagon.evaluation.plotting.sponge import draw_sponge

        draw_sponge(bandwidth, slo / 1e3, runs, figure)
        note(f"figure written to {figure}")
    report_runs(runs, as_json=as_json)


def _check_flags(
    rate: float,
    slo: float,
    communication: float,
    size: float,
    duration: float,
    change_cost: float,
    figure: Path | None,
    trace: str | None,
) -> None:
    upper = {"--rate": (rate, 1e4), "--slo": (slo, 1e7), "--size": (size, 1e7), "--duration": (duration, 1e5)}
    for flag, (value, most) in upper.items():
        if not 0 < value <= most:
            raise typer.BadParameter(f"give a number above 0 and up to {most:g}", param_hint=flag)
    if trace is not None and rate * duration > _MOST_REQUESTS:
        raise typer.BadParameter(
            f"more than {_MOST_REQUESTS:,} requests: ask for less", param_hint="--rate, --duration"
        )
    for flag, value in (("--communication", communication), ("--change-cost", change_cost)):
        if not 0 <= value <= 1e7:
            raise typer.BadParameter("give a number from 0", param_hint=flag)
    if figure is not None and trace is None:
        raise typer.BadParameter(f"{figure}: needs --trace", param_hint="--figure")
    require_figure(figure)


def _candidates(
    profile: str | None, model: str | None, durations: Durations, max_cores: int, max_batch: int
) -> CoreProfile:
    """The pairs of cores and batch size to choose from, with their durations."""
    from harpagon.formulations.sponge.core_latency import fit_core_latency
    from harpagon.instances.cpu.instance import read_any_core_profile
    from harpagon.instances.cpu.profile import published_yolo_profile

    measured = published_yolo_profile() if profile is None else read_any_core_profile(profile, model)
    fit = None if durations is Durations.TABLE else fit_core_latency(measured)
    if fit is not None and durations is Durations.AUTO and fit.mean_relative > _LARGEST_ERROR:
        note(
            f"the fit is off by {fit.mean_relative:.1%} in the mean: planned with the measured points (--durations fit)"
        )
        fit = None
    if fit is not None:
        cores = range(1, min(max_cores, measured.cores[-1]) + 1)
        batches = range(1, min(max_batch, measured.batches[-1]) + 1)
        return fit.latency.profile(measured.name, cores, batches)
    kept = measured.within(max_cores, max_batch)
    if not kept.durations:
        raise typer.BadParameter("the profile has no point that small", param_hint="--max-cores, --max-batch")
    return kept


def _decide(
    candidates: CoreProfile,
    rate: float,
    slo: float,
    communication: float,
    variant: SpongeVariant,
    *,
    as_json: bool,
) -> None:
    from harpagon.formulations.sponge.problem import interval_problem
    from harpagon.heuristics.sponge import enumerate_sponge

    problem = interval_problem(candidates, rate, slo, communication, variant)
    decision = enumerate_sponge(problem)
    if as_json:
        show_json(_decision_document(problem, decision))
    elif decision is None:
        show(
            f"no plan: no pair of up to {candidates.cores[-1]} cores and batch {candidates.batches[-1]} is fast enough"
        )
    else:
        from rich.text import Text

        seconds = candidates.durations[decision.cores, decision.batch]
        plural = "s" if decision.cores > 1 else ""
        show(
            Text.assemble(
                (f"{decision.cores} core{plural}, batch {decision.batch}", "bold"), "  optimal by enumeration"
            ),
            f"a batch takes {seconds * 1e3:.2f} ms: {decision.batch / seconds:.1f} req/s for {rate:g} req/s",
            f"the interval's last request is done {_last_done(problem, decision) * 1e3:.1f} ms after its start, "
            f"{problem.remaining[-1] * 1e3:.1f} ms are left to it",
        )
    if decision is None:
        raise typer.Exit(ExitCode.NO_PLAN)


def _last_done(problem: SpongeProblem, decision: SpongeDecision) -> float:
    """Seconds until the last request of the interval is done."""
    batches = -(-len(problem.remaining) // decision.batch)
    return batches * problem.profile.durations[decision.cores, decision.batch]


def _decision_document(problem: SpongeProblem, decision: SpongeDecision | None) -> dict[str, object]:
    document: dict[str, object] = {"model": problem.profile.name, "method": "enumeration"}
    if decision is None:
        return document | {"status": "infeasible"}
    return document | {
        "status": "optimal",
        "cores": decision.cores,
        "batch": decision.batch,
        "objective": decision.objective,
        "batch_ms": problem.profile.durations[decision.cores, decision.batch] * 1e3,
        "last_done_ms": _last_done(problem, decision) * 1e3,
        "remaining_ms": problem.remaining[-1] * 1e3,
    }
