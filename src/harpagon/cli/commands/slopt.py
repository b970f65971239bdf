"""``harpagon slopt``: a trace through estimation, provisioning and execution, every stage with its baselines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.files import FigureOption, require_figure
from harpagon.cli.inputs import JsonOption
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.slopt.stages import Estimation, Forecast, Provisioner, Tuning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.simulation.slopt.report import SloptRun
    from harpagon.simulation.slopt.run import SystemOptions
    from harpagon.simulation.slopt.workload import Workload


_HELP = """Serve a trace of changing load with one pipeline: estimate, provision, run.

Three stages, each of which can be swapped for a baseline. [bold]Estimation[/]: the cascade pushes the forecast load
through every module's batches, or a model-independent rate. [bold]Provisioning and tuning[/]: machines are started
ahead of the load or after it was seen. [bold]Execution[/]: what is dropped from a batch that would miss the SLO.

PIPELINE is video, social, an instance file or a shipped instance; its first pipeline is served. A trace is generated
(bursts, diurnal, fanout, steps, steady) or a file of per-second counts: a column requests, or a public trace
(Twitter, Azure Functions, Azure LLM, Wikipedia) as it is published.

[bold]Examples[/bold]

  harpagon slopt video --trace bursts --hindsight --figure slopt.png

  harpagon slopt video --trace bursts --estimation fanout --tuning reactive --drop late

  harpagon slopt social --trace diurnal --compare

  harpagon slopt social --trace steps --systems --headroom 1.2

  harpagon slopt video --trace workload.txt --window 90000:600 --scale 20

[bold]Exit codes[/bold]  0 done; 1 no machines meet the SLO; 2 bad input or usage
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("slopt", help=_HELP)(slopt)


def slopt(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="video, social, or an instance.")] = "video",
    trace: Annotated[str, typer.Option(metavar="NAME|FILE", help="A generated trace, or a file of counts.")] = "bursts",
    peak: Annotated[
        float | None,
        typer.Option(help="Generated traces: largest requests per second.", show_default="the pipeline's rate"),
    ] = None,
    seconds: Annotated[int, typer.Option(min=10, max=3600, help="Generated traces: length.")] = 90,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="START:SECONDS",
            help="Trace files: the part to serve; what the file holds before it is its history.",
            show_default="the whole file",
        ),
    ] = None,
    scale: Annotated[float, typer.Option(help="Trace files: factor on every count.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of trace, arrivals and fan-out.")] = 0,
    estimation: Annotated[Estimation, typer.Option(help="Where demand comes from.")] = Estimation.CASCADE,
    provisioning: Annotated[
        Provisioner, typer.Option(help="What chooses configurations and latency budgets.")
    ] = Provisioner.EXACT,
    tuning: Annotated[Tuning, typer.Option(help="When machines follow the load.")] = Tuning.AHEAD,
    forecast: Annotated[Forecast, typer.Option(help="How ahead-of-time tuning looks ahead.")] = Forecast.ADJUSTED,
    closed_loop: Annotated[
        bool, typer.Option("--closed-loop", help="Let the forecast's quantile follow the measured attainment.")
    ] = False,
    history: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Trace files: counts of another day, the last day first. Give it again for more days.",
            show_default="20 days of a generated trace",
        ),
    ] = None,
    drop: Annotated[Drop, typer.Option(help="What is dropped from a batch.")] = Drop.ADAPTIVE,
    paced: Annotated[
        bool, typer.Option("--paced", help="Hold results until their module's budget has passed.")
    ] = False,
    headroom: Annotated[float, typer.Option(help="Factor on every demand.")] = 1.0,
    startup: Annotated[float, typer.Option(help="Seconds a machine takes to start.")] = 2.0,
    fleet: Annotated[int, typer.Option(min=1, max=100_000, help="Machines available.")] = 64,
    compare: Annotated[bool, typer.Option("--compare", help="Also run it with each stage swapped.")] = False,
    systems: Annotated[
        bool, typer.Option("--systems", help="Also run Nexus, Clipper++, InferLine, Scrooge and PARD [R].")
    ] = False,
    hindsight: Annotated[
        bool, typer.Option("--hindsight", help="Also solve and run the optimum for a trace known beforehand.")
    ] = False,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    _check_flags(peak, headroom, startup, figure)
    _check_window(trace, window, scale)
    instance = _instance(pipeline)
    workload, days = _load(trace, peak or instance.pipelines[0].rate, seconds, window, scale, seed, history or [])
    options = _options(estimation, provisioning, tuning, forecast, closed_loop, drop, paced, headroom, startup, fleet)
    runs = _serve(instance, workload, _systems(options, compare=compare), seed, days)
    if systems:
        runs |= _serve_whole(instance, workload, options, seed)
    if hindsight:
        runs |= _serve_hindsight(instance, workload, options, seed)
    if figure is not None:
        from harpagon.evaluation.plotting.slopt import draw_slopt

        draw_slopt(runs["chosen"], figure, runs.get("hindsight"))
        note(f"figure written to {figure}")
    if as_json:
        show_json({name: run_document(run) for name, run in runs.items()})
    else:
        _show(instance, workload, runs)


def _check_flags(peak: float | None, headroom: float, startup: float, figure: Path | None) -> None:
    if peak is not None and not 0 < peak <= 1e5:
        raise typer.BadParameter("give a number above 0 and up to 100000", param_hint="--peak")
    if not 0.1 <= headroom <= 100:
        raise typer.BadParameter("give a number from 0.1 to 100", param_hint="--headroom")
    if not (0 <= startup <= 600 and math.isfinite(startup)):
        raise typer.BadParameter("give seconds from 0 to 600", param_hint="--startup")
    require_figure(figure)


def _instance(pipeline: str) -> Instance:
    from harpagon.instances.library.shipped import resolve
    from harpagon.instances.library.slopt_pipelines import PIPELINES, slopt_instance
    from harpagon.solvers.capabilities import has_limits, require_batches

    if pipeline in PIPELINES:
        return slopt_instance(pipeline)
    instance = resolve(pipeline)
    require_batches(instance, "SLOpt")
    if has_limits(instance):
        note("the limits of single hardware types are not kept here; --fleet limits all machines together")
    return instance


def _check_window(trace: str, window: str | None, scale: float) -> None:
    if not (1e-6 <= scale <= 1e6):
        raise typer.BadParameter("give a number from 1e-6 to 1e6", param_hint="--scale")
    if _is_generated(trace) and (window is not None or scale != 1.0):
        raise typer.BadParameter(f"{trace} is generated, these are for trace files", param_hint="--window, --scale")


def _is_generated(trace: str) -> bool:
    from harpagon.simulation.slopt.workload import GENERATORS

    return trace in GENERATORS or not Path(trace).exists()


def _load(
    trace: str, peak: float, seconds: int, window: str | None, scale: float, seed: int, history: list[str]
) -> tuple[Workload, Sequence[Workload]]:
    """The trace, and other days: those given, else those of a generated trace or what a file holds before a window."""
    from harpagon.simulation.slopt.workload import days_before, read_window, read_workload

    given = tuple(read_workload(file, scale) for file in history)
    if _is_generated(trace):
        return _generated(trace, peak, seconds, seed), given or days_before(trace, peak, seconds, seed)
    if window is None:
        return read_workload(trace, scale), given
    part, past = read_window(trace, *_window(window), scale)
    return part, given or past


def _generated(trace: str, peak: float, seconds: int, seed: int) -> Workload:
    from harpagon.simulation.slopt.workload import MOST_REQUESTS, generate_workload

    if peak * seconds > MOST_REQUESTS:
        problem = f"at most {MOST_REQUESTS} requests in one run, peak x seconds is {peak * seconds:.0f}"
        raise typer.BadParameter(problem, param_hint="--peak, --seconds")
    return generate_workload(trace, peak, seconds, seed)


def _window(text: str) -> tuple[int, int]:
    """Start and length in seconds."""
    start, _, seconds = text.partition(":")
    if not (start.isdecimal() and seconds.isdecimal() and 10 <= int(seconds) <= 86_400 and int(start) < 10**8):
        problem = f"{text}: give START:SECONDS, whole seconds, 10 to 86400 of them, as in 90000:600"
        raise typer.BadParameter(problem, param_hint="--window")
    return int(start), int(seconds)


def _options(
    estimation: Estimation,
    provisioning: Provisioner,
    tuning: Tuning,
    forecast: Forecast,
    closed_loop: bool,
    drop: Drop,
    paced: bool,
    headroom: float,
    startup: float,
    fleet: int,
) -> SystemOptions:
    from harpagon.simulation.slopt.run import SOLVERS, SystemOptions
    from harpagon.simulation.slopt.tuning import TuningOptions

    tuned = TuningOptions(
        estimation,
        tuning,
        headroom,
        startup=startup,
        fleet=fleet,
        paced=paced,
        forecast=forecast,
        closed_loop=closed_loop,
    )
    return SystemOptions(tuned, drop, SOLVERS[provisioning])


def _systems(options: SystemOptions, *, compare: bool) -> dict[str, SystemOptions]:
    from harpagon.simulation.slopt.run import stage_swaps

    return {"chosen": options, **(stage_swaps(options) if compare else {})}


def _serve(
    instance: Instance, workload: Workload, systems: dict[str, SystemOptions], seed: int, history: Sequence[Workload]
) -> dict[str, SloptRun]:
    from harpagon.simulation.slopt.run import NoPlanError, run_slopt

    try:
        return {
            name: run_slopt(instance, workload, options, seed, history=history) for name, options in systems.items()
        }
    except NoPlanError as error:
        note(f"no plan: {error}")
        raise typer.Exit(ExitCode.NO_PLAN) from None


def _serve_whole(instance: Instance, workload: Workload, options: SystemOptions, seed: int) -> dict[str, SloptRun]:
    """Every whole system that has a plan, at the same headroom, start-up time and fleet."""
    from harpagon.simulation.slopt.run import NoPlanError
    from harpagon.simulation.slopt.systems.system import SYSTEMS, run_system

    runs = {}
    for name in SYSTEMS:
        try:
            runs[name] = run_system(instance, workload, name, options.tuning, seed)
        except NoPlanError as error:
            note(f"left out: {error}")
    return runs


def _serve_hindsight(instance: Instance, workload: Workload, options: SystemOptions, seed: int) -> dict[str, SloptRun]:
    """The hindsight optimum as it runs without drops; nothing where there is none."""
    from harpagon.simulation.slopt.hindsight import run_hindsight
    from harpagon.simulation.slopt.run import NoPlanError

    try:
        _, run = run_hindsight(instance, workload, seed, options.tuning)
    except NoPlanError as error:
        note(f"left out: {error}")
        return {}
    if run.most_machines > (options.tuning.fleet or 0):
        note(f"the hindsight optimum takes up to {run.most_machines} machines, more than --fleet")
    return {"hindsight": run}


_COLUMNS: tuple[tuple[str, str], ...] = (
    ("P50 ms", "p50_ms"),
    ("P99 ms", "p99_ms"),
    ("of all", "p99_all_ms"),
    ("in time %", "attainment"),
    ("goodput req/s", "goodput_rps"),
    ("dropped %", "dropped_share"),
    ("$/h", "cost_per_hour"),
    ("started", "started"),
)


def _show(instance: Instance, workload: Workload, runs: dict[str, SloptRun]) -> None:
    from harpagon.cli.views.tables import plain_table

    first = next(iter(runs.values()))
    title = (
        f"{instance.name} on {workload.name}: {first.arrived} requests, {first.seconds:g} s, SLO {first.slo * 1e3:g} ms"
    )
    table = plain_table("system", *(column for column, _ in _COLUMNS), title=title)
    table.columns[0].no_wrap = True
    for name, run in runs.items():
        figures = run_document(run)
        table.add_row(name, *(_figure_text(key, figures[key]) for _, key in _COLUMNS))
    show(
        table,
        "P50, P99 of finished requests; of all: P99 with drops late, - for none; $/h with start-ups, over the trace",
    )
    if "hindsight" in runs:
        regret = runs["chosen"].cost / runs["hindsight"].cost - 1
        show(f"regret: {regret * 100:.1f} % over the hindsight optimum")


def _figure_text(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    if key in ("attainment", "dropped_share"):
        return f"{value * 100:.2f}"
    return f"{value:.2f}" if key == "cost_per_hour" else f"{value:.0f}"


def run_document(run: SloptRun) -> dict[str, Any]:
    """Figures of a run as plain data; latencies are None where they are not finite."""

    def milliseconds(seconds: float) -> float | None:
        return seconds * 1e3 if math.isfinite(seconds) else None

    return {
        "arrived": run.arrived,
        "finished": run.finished,
        "dropped": run.dropped,
        "in_flight": run.in_flight,
        "p50_ms": milliseconds(run.quantile(0.5)),
        "p99_ms": milliseconds(run.quantile(0.99)),
        "p99_all_ms": milliseconds(run.quantile_of_all(0.99)),
        "attainment": run.attainment,
        "goodput_rps": run.goodput,
        "dropped_share": run.dropped / run.arrived if run.arrived else 0.0,
        "cost_per_hour": run.cost_per_hour,
        "started": run.started,
        "periods": [
            {
                "end_s": record.end,
                "arrived": record.arrived,
                "dropped": record.dropped,
                "load_rps": list(record.load),
                "demand_rps": list(record.demand),
                "machines": list(record.machines),
            }
            for record in run.periods
        ],
    }
