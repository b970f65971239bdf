"""``harpagon profile``: measure an ONNX model over batch sizes and cores, and write what the other commands read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.files import require_folder
from harpagon.cli.inputs import JsonOption, shapes_of

if TYPE_CHECKING:
    from harpagon.formulations.sponge.core_latency import LatencyFit
    from harpagon.instances.cpu.measure import MeasuredPoint, ProfileSettings
    from harpagon.instances.cpu.profile import CoreProfile

_HELP = """Measure an ONNX model on this machine: milliseconds per batch over batch sizes and cores.

Prints the table and the fitted l(b, c) = gamma b/c + delta b + epsilon/c + eta with its errors. Writes an instance
file that every command accepts, in which a container with c cores is a machine that costs c (x --price-per-core),
and a table that [bold]harpagon sponge --profile[/] accepts. Needs ONNX Runtime: pip install 'harpagon\\[profile]'.

[bold]Examples[/bold]

  harpagon profile detect.onnx --shape 3,736,736 --out ocr.json --rate 2 --slo 2000

  harpagon profile classify.onnx --shape 3,48,192 --out ocr.json --after detect --fanout 8

  harpagon plan ocr.json

  harpagon profile detect.onnx --provider cuda --hardware T4 --quantile 0.99 --repeats 100 --limit --out t4.json

[bold]Exit codes[/bold]  0 measured; 2 bad input or usage
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("profile", help=_HELP)(profile)


def profile(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="The model.", show_default=False)],
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[INPUT=]D,D,...",
            help="Dimensions of an input after the batch; repeat it for several inputs. Needed where the model leaves "
            "dimensions open.",
            show_default=False,
        ),
    ] = None,
    cores: Annotated[
        str | None,
        typer.Option(metavar="C,C,...", help="Core counts.", show_default="1, 2, 4, ... up to this machine's"),
    ] = None,
    batches: Annotated[str, typer.Option(metavar="B,B,...", help="Batch sizes.")] = "1,2,4,8",
    warmup: Annotated[int, typer.Option(min=0, help="Batches before the clock starts, per point.")] = 3,
    repeats: Annotated[int, typer.Option(min=1, help="Timed batches per point.")] = 20,
    quantile: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Quantile of the timed batches that plans count with; of 0.5, 0.9, 0.95 and 0.99 those up to it are "
            "written, and the mean.",
        ),
    ] = 0.9,
    overhead: Annotated[
        float, typer.Option(metavar="MS", help="Added to every batch: what the server adds that will run the model.")
    ] = 0.0,
    provider: Annotated[
        str,
        typer.Option(help="Execution provider of ONNX Runtime: cpu, cuda, tensorrt, ... With any but cpu: --hardware."),
    ] = "cpu",
    hardware: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --provider: the hardware type that is measured; --out gets its profile, as harpagon import.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        bool, typer.Option("--limit", help="Write as the limit of every type what this machine has.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the model and its module. Default: the file's.", show_default=False)
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write the measured table here.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write the instance here.", show_default=False)
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE", help="Add the model to the instance of --out, after this module.", show_default=False
        ),
    ] = None,
    fanout: Annotated[float, typer.Option(help="With --after: requests per request of that module.")] = 1.0,
    rate: Annotated[float, typer.Option(help="Without --after: req/s of the new instance.")] = 10.0,
    slo: Annotated[float, typer.Option(help="Without --after: SLO of the new instance, ms.")] = 1000.0,
    price_per_core: Annotated[float, typer.Option(help="Without --after: dollars per core and hour.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    from harpagon.formulations.sponge.core_latency import fit_core_latency
    from harpagon.instances.cpu.measure import (
        ProfileSettings,
        execution_provider,
        measured_profile,
        write_measured_points,
    )
    from harpagon.instances.cpu.noise import noise_warnings

    model_name = name or model.stem
    _check_flags(model_name, quantile, fanout, rate, slo, price_per_core, table, out, after)
    if not 0 <= overhead < 1e9:
        raise typer.BadParameter("give milliseconds from 0", param_hint="--overhead")
    if (provider.lower() == "cpu") != (hardware is None):
        problem = "name the type of the device" if hardware is None else "give it with --provider alone"
        raise typer.BadParameter(problem, param_hint="--hardware")
    counts = _powers_of_two() if cores is None else _whole_numbers("--cores", cores)
    sizes, shapes = _whole_numbers("--batches", batches), shapes_of(shape or [])
    if hardware is not None:
        settings = ProfileSettings((1,), sizes, shapes, warmup, repeats, provider=execution_provider(provider))
    else:
        settings = ProfileSettings(counts, sizes, shapes, warmup, repeats)
    points = [point.slower_by(overhead / 1e3) for point in _measure(model, settings)]
    measured = measured_profile(model_name, points, quantile)
    for warning in noise_warnings(points, quantile):
        note(warning)
    if hardware is not None:
        _device(measured, hardware, limit, out, as_json=as_json)
        return
    fit = fit_core_latency(measured)
    if table is not None:
        write_measured_points(table, points, quantile)
        note(f"table written to {table}")
    if out is not None:
        _write_instance(out, measured, after, fanout, rate, slo, price_per_core, limit=limit)
        note(f"instance written to {out}")
    if as_json:
        show_json(_document(measured, points, fit))
    else:
        _print(measured, points, fit, quantile)


def _check_flags(
    name: str,
    quantile: float,
    fanout: float,
    rate: float,
    slo: float,
    price_per_core: float,
    table: Path | None,
    out: Path | None,
    after: str | None,
) -> None:
    """Refuse before minutes of measuring what could not be written after them."""
    from harpagon.instances.cpu.instance import require_room
    from harpagon.instances.files.instances import read_instance

    for flag, value in (("--fanout", fanout), ("--rate", rate), ("--slo", slo), ("--price-per-core", price_per_core)):
        if not 0 < value < 1e9:
            raise typer.BadParameter("give a positive number", param_hint=flag)
    if not 0 <= quantile <= 1:
        raise typer.BadParameter("give a share from 0 to 1", param_hint="--quantile")
    for path in (table, out):
        require_folder(path)
    if after is not None:
        if out is None:
            raise typer.BadParameter("name the instance to add to with --out", param_hint="--after")
        require_room(read_instance(out), name, after)


def _powers_of_two() -> tuple[int, ...]:
    from harpagon.instances.cpu.measure import available_cores

    return tuple(1 << power for power in range(available_cores().bit_length()))


def _whole_numbers(flag: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 10_000 for part in parts):
        raise typer.BadParameter("give whole numbers from 1, such as 1,2,4", param_hint=flag)
    return tuple(sorted({int(part) for part in parts}))


def _measure(model: Path, settings: ProfileSettings) -> list[MeasuredPoint]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from harpagon.instances.cpu.measure import measure_onnx

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"measuring {model.name}", total=len(settings.cores) * len(settings.batches))
        return measure_onnx(model, settings, lambda: progress.advance(task))


def _write_instance(
    out: Path,
    measured: CoreProfile,
    after: str | None,
    fanout: float,
    rate: float,
    slo: float,
    price_per_core: float,
    *,
    limit: bool,
) -> None:
    """Write a new instance, or the one of ``out`` with a module more."""
    from harpagon.instances.cpu.instance import append_module, single_module_instance, with_core_limits
    from harpagon.instances.cpu.measure import available_cores
    from harpagon.instances.files.instances import read_instance, write_instance

    if after is None:
        instance = single_module_instance(measured, rate, slo / 1e3, price_per_core)
    else:
        instance = append_module(read_instance(out), measured, after, fanout)
    write_instance(out, with_core_limits(instance, available_cores()) if limit else instance)
    if limit and len(measured.cores) > 1:
        note("each type is limited as if it were alone: a plan of several types may use more cores than there are")


def _device(measured: CoreProfile, hardware: str, limit: bool, out: Path | None, *, as_json: bool) -> None:
    """Show the profile of a device, and write it as a fragment of an instance file."""
    from harpagon.cli.commands.import_ import write_out
    from harpagon.instances.cpu.device import device_count, device_fragment

    fragment = device_fragment(measured, hardware, device_count() if limit else None)
    if out is not None:
        write_out(out, fragment)
    if out is None or as_json:
        show_json(fragment)
        return
    for (_, batch), seconds in measured.durations.items():
        show(f"{hardware} batch {batch}: {seconds * 1e3:.3f} ms")


def _print(measured: CoreProfile, points: list[MeasuredPoint], fit: LatencyFit, quantile: float) -> None:
    from harpagon.cli.views.tables import plain_table

    headings = [f"{cores} core{'s' if cores > 1 else ''}" for cores in measured.cores]
    title = f"{measured.name}: ms per batch, {quantile:g} quantile (median)"
    table = plain_table("batch", *headings, left=(), title=title)
    found = {(point.cores, point.batch): point for point in points}
    for batch in measured.batches:
        cells = (
            f"{measured.durations[cores, batch] * 1e3:.2f} ({found[cores, batch].quantile(0.5) * 1e3:.2f})"
            for cores in measured.cores
        )
        table.add_row(str(batch), *cells)
    show(table, *fit_lines(fit))


def fit_lines(fit: LatencyFit) -> list[str]:
    """A fit in words: the coefficients, and how far it is from what was measured."""
    (cores, batch), worst = fit.worst
    c = fit.latency
    return [
        f"l(b, c) = {c.gamma * 1e3:.2f} b/c + {c.delta * 1e3:.2f} b + {c.epsilon * 1e3:.2f}/c + {c.eta * 1e3:.2f} ms",
        f"error: {fit.root_mean_square * 1e3:.2f} ms root mean square, {fit.mean_relative:.1%} mean relative, "
        f"worst {worst:.1%} at {cores} cores, batch {batch}",
    ]


def _document(measured: CoreProfile, points: list[MeasuredPoint], fit: LatencyFit) -> dict[str, object]:
    coefficients = fit.latency
    return {
        "model": measured.name,
        "points": [
            {
                "cores": point.cores,
                "batch": point.batch,
                "latency_ms": measured.durations[point.cores, point.batch] * 1e3,
                "p50_ms": point.quantile(0.5) * 1e3,
                "p90_ms": point.quantile(0.9) * 1e3,
                "p99_ms": point.quantile(0.99) * 1e3,
                "residual_ms": fit.residuals[point.cores, point.batch] * 1e3,
            }
            for point in points
        ],
        "fit_ms": {
            "gamma": coefficients.gamma * 1e3,
            "delta": coefficients.delta * 1e3,
            "epsilon": coefficients.epsilon * 1e3,
            "eta": coefficients.eta * 1e3,
            "root_mean_square": fit.root_mean_square * 1e3,
        },
    }
