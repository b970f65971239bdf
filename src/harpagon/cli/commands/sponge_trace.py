"""The part of ``harpagon sponge`` that serves one model over a bandwidth trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.cli.console import show, show_json

if TYPE_CHECKING:
    from harpagon.instances.cpu.profile import CoreProfile
    from harpagon.simulation.sponge.bandwidth import BandwidthTrace
    from harpagon.simulation.sponge.run import SpongeRun


def read_or_make_bandwidth(trace: str, seed: int, duration: float) -> BandwidthTrace:
    """The trace of a file, or a synthetic one of at least ``duration`` seconds."""
    from harpagon.simulation.sponge.bandwidth import TRACE_SECONDS, read_bandwidth_trace, synthetic_bandwidth

    if trace == "synthetic":
        return synthetic_bandwidth(seed, max(TRACE_SECONDS, int(duration) + 1))
    return read_bandwidth_trace(Path(trace))


def serve_model(
    bandwidth: BandwidthTrace,
    candidates: CoreProfile,
    names: tuple[str, ...],
    rate: float,
    slo: float,
    size: float,
    duration: float,
    change_cost: float,
) -> dict[str, SpongeRun]:
    """Every scaler's run on the same requests; seconds, bytes, requests per second."""
    from harpagon.simulation.sponge.registry import make_scaler
    from harpagon.simulation.sponge.requests import send_requests
    from harpagon.simulation.sponge.run import run_scaler

    scalers = {name: make_scaler(name, candidates, slo, change_cost) for name in names}
    requests = send_requests(bandwidth, rate, size, slo, duration)
    return {name: run_scaler(scaler, requests, candidates, duration, rate) for name, scaler in scalers.items()}


def report_runs(runs: dict[str, SpongeRun], *, as_json: bool) -> None:
    """Print the runs side by side."""
    if as_json:
        show_json({name: _run_document(run) for name, run in runs.items()})
        return
    from harpagon.cli.views.tables import plain_table

    table = plain_table("scaler", "violations", "unavoidable", "of requests", "core-seconds", "changes")
    for name, run in runs.items():
        figures = (run.violations, run.unavoidable, len(run.served), f"{run.core_seconds:.0f}", run.changes)
        table.add_row(name, *map(str, figures))
    show(table, "unavoidable: reached the server with less time left than the fastest batch takes")


def _run_document(run: SpongeRun) -> dict[str, object]:
    return {
        "requests": len(run.served),
        "violations": run.violations,
        "unavoidable": run.unavoidable,
        "core_seconds": run.core_seconds,
        "changes": run.changes,
    }
