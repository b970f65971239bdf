"""``harpagon import``: what others measured, and what clouds ask, as a fragment of an instance file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harpagon.cli.console import complain, note, show, show_json
from harpagon.cli.exits import ExitCode
from harpagon.cli.inputs import JsonOption

if TYPE_CHECKING:
    from harpagon.instances.measurements.verdicts import RowVerdict

_HELP = """Turn a measurement file into profiles of an instance file, with a verdict on every row.

FORMAT is one of [bold]perf-analyzer[/], [bold]model-analyzer[/], [bold]timm[/], [bold]vllm[/] (SGLang too),
[bold]aiperf[/] (genai-perf too), [bold]mlperf[/], [bold]aibrix[/] (Mélange too), [bold]csv[/]; or [bold]prices[/], a
catalogue in the layout of SkyPilot or gpuhunt. docs/import.md says which figures are used and which are refused.

[bold]Examples[/bold]

  harpagon import perf-analyzer perf.csv --model resnet50 --hardware A100 --batch 8 --out profiles.json

  harpagon import vllm bench.json --model llama --hardware H100 --out profiles.json

  harpagon import prices catalog.csv --hardware A100 --region us-east-1 --out profiles.json

[bold]Exit codes[/bold]  0 at least one row is used; 2 bad input or usage, or every row is refused
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import", help=_HELP)(import_measurements)


def import_measurements(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="Kind of file.", show_default=False)],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file.", show_default=False)],
    hardware: Annotated[str, typer.Option(help="Hardware type of the instance.", show_default=False)],
    model: Annotated[
        str | None, typer.Option(help="Model of the instance; its name in files that hold several.", show_default=False)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Requests per batch, where the file does not say.", show_default="1")
    ] = None,
    instances: Annotated[
        int, typer.Option(min=1, help="Model instances, or machines, that shared the load where the file does not say.")
    ] = 1,
    latency: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Latency that the file's rates were measured to keep.", show_default=False),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Option(
            help="Which of several workloads: a bucket such as 128x512, an image size, a data set.", show_default=False
        ),
    ] = None,
    accelerator: Annotated[
        str | None, typer.Option(help="Its name in files that hold several.", show_default="the hardware type")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(metavar="GB", help="Prices: memory of one accelerator.", show_default=False)
    ] = None,
    region: Annotated[str | None, typer.Option(help="Prices: this region only.", show_default="the cheapest")] = None,
    spot: Annotated[bool, typer.Option("--spot", help="Prices: spot offers.")] = False,
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="Prices: their day.", show_default="the file's own"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Write the fragment, or add it to this file.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the command."""
    if form == "prices":
        from harpagon.instances.measurements.prices import Wanted, read_prices
        from harpagon.instances.measurements.readers import naming_the_format

        with naming_the_format(form, file):
            verdicts = read_prices(file, Wanted(accelerator or hardware, region, spot, memory))
        fragment = _prices(verdicts, hardware, file, day)
    else:
        from harpagon.instances.measurements.readers import read_measurements
        from harpagon.instances.measurements.request import Request

        if latency is not None and not 0 < latency < 1e9:
            raise typer.BadParameter("give milliseconds above 0", param_hint="--latency")
        seconds = None if latency is None else latency / 1e3
        if model is None:
            raise typer.BadParameter("name the model of the instance", param_hint="--model")
        verdicts = read_measurements(
            form, file, Request(model, batch, instances, seconds, workload, accelerator or hardware)
        )
        fragment = _profiles(verdicts, model, hardware)
    _answer(verdicts, fragment, file, out, as_json=as_json)


def _profiles(verdicts: list[RowVerdict], model: str, hardware: str) -> dict[str, Any]:
    from harpagon.instances.measurements.fragment import profile_entry

    entry = profile_entry(verdicts)
    return {"profiles": {model: {hardware: entry}}} if entry else {}


def _prices(verdicts: list[RowVerdict], hardware: str, file: Path, day: str | None) -> dict[str, Any]:
    from harpagon.instances.measurements.fragment import hardware_entry

    entry = hardware_entry(verdicts)
    stamp = f"Price of {hardware}: {file.name}, {_day(file, day)}."
    return {"description": stamp, "hardware": {hardware: entry}} if entry else {}


def _day(file: Path, day: str | None) -> str:
    try:
        return date.fromisoformat(day).isoformat() if day else _written(file)
    except ValueError:
        raise typer.BadParameter("give a day such as 2026-05-31", param_hint="--date") from None


def _written(file: Path) -> str:
    """Day on which the file was last written, in universal time."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()


def _answer(
    verdicts: list[RowVerdict], fragment: dict[str, Any], file: Path, out: Path | None, *, as_json: bool
) -> None:
    from harpagon.cli.views.verdicts import verdict_document, verdict_table

    if as_json:
        show_json({"file": str(file), "rows": [verdict_document(row) for row in verdicts], "fragment": fragment})
    else:
        import json

        show(verdict_table(verdicts), *([json.dumps(fragment, indent=2)] if fragment and out is None else []))
    if not fragment:
        complain(f"{file}: every row is refused. See `harpagon import --help` and docs/import.md.")
        raise typer.Exit(ExitCode.USAGE)
    if out is not None:
        write_out(out, fragment)


def write_out(out: Path, fragment: dict[str, Any]) -> None:
    """Write a fragment and say what its file still lacks to be planned."""
    from harpagon.instances.measurements.fragment import write_fragment

    missing = write_fragment(out, fragment)
    lacks = f"; to be planned it lacks {', '.join(missing)}: see docs/import.md" if missing else ""
    note(f"written to {out}{lacks}")
