"""A trace served by several scalers, drawn over time: bandwidth, remaining SLO, cores, violations."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.palette import panels
from harpagon.evaluation.plotting.saving import save_figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from harpagon.simulation.sponge.bandwidth import BandwidthTrace
    from harpagon.simulation.sponge.run import SpongeRun


def sponge_figure(trace: BandwidthTrace, slo: float, runs: Mapping[str, SpongeRun]) -> Figure:
    """Four panels over one time axis.

    Parameters
    ----------
    trace
        What the requests crossed.
    slo
        Seconds, drawn as the upper edge of the remaining SLO.
    runs
        Scaler name to its run, all on the same requests.
    """
    figure, rows = panels(4, 1, width=9, height=2.25, sharex=True)
    ((bandwidth,), (remaining,), (cores,), (violations,)) = rows
    records = next(iter(runs.values())).records
    times = [record.time for record in records]
    bandwidth.step(times, [trace.at(time) / 1e6 for time in times], where="post", color="0.3")
    bandwidth.set_ylabel("bandwidth\n(MB/s)")
    remaining.step(times, [record.remaining for record in records], where="post", color="0.3")
    remaining.axhline(slo, color="0.7", linestyle=":")
    remaining.set_ylabel("least remaining\nSLO (s)")
    for name, run in runs.items():
        cores.step(times, [record.cores for record in run.records], where="post", label=name, alpha=0.8)
        late = list(accumulate(record.violations for record in run.records))
        violations.step(times, late, where="post", label=name, alpha=0.8)
    cores.set_ylabel("cores")
    violations.set_ylabel("late requests,\nsum (log scale)")
    violations.set_yscale("symlog", linthresh=1)
    violations.set_ylim(bottom=0)
    violations.set_xlabel("time (s)")
    figure.legend(*cores.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    return figure


def draw_sponge(trace: BandwidthTrace, slo: float, runs: Mapping[str, SpongeRun], path: Path) -> None:
    """Draw `sponge_figure` to ``path``, whose name says the format."""
    save_figure(sponge_figure(trace, slo, runs), path, dpi=150)
