"""A SLOpt run over time: load and demand, machines, latency quantiles, drops."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harpagon.evaluation.plotting.palette import panels
from harpagon.evaluation.plotting.saving import save_figure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harpagon.simulation.slopt.report import SloptRun


def slopt_figure(run: SloptRun, hindsight: SloptRun | None = None) -> Figure:
    """Panels over one time axis.

    Load and envelope of every module in requests per second (the envelope over a tenth of a second), with the band of
    the root's forecast at the time it is for; machines of every module, and all those of ``hindsight``, a run of the
    hindsight optimum; 50th and 99th percentile of the latency by second of arrival, against the SLO; where requests
    were dropped, drops and late requests a second.
    """
    drawings: list[Callable[[Axes, SloptRun], None]] = [
        _draw_load,
        partial(_draw_machines, hindsight=hindsight),
        _draw_latency,
        *([_draw_drops] if run.dropped else []),
    ]
    figure, rows = panels(len(drawings), 1, width=9, height=2.5, sharex=True)
    for draw, (axis,) in zip(drawings, rows, strict=True):
        draw(axis, run)
    rows[-1][0].set_xlabel("time (s)")
    return figure


def latency_by_second(run: SloptRun, share: float) -> np.ndarray:
    """Quantile of the latency of finished requests by second of arrival, seconds; NaN where none finished."""
    second = run.arrivals.astype(np.int64)
    latencies = run.finish - run.arrivals
    found = np.full(int(run.seconds), np.nan)
    for k in range(found.size):
        done = latencies[(second == k) & np.isfinite(latencies)]
        if done.size:
            found[k] = np.quantile(done, share)
    return found


def _draw_load(axes: Axes, run: SloptRun) -> None:
    times = [record.end for record in run.periods]
    for m, module in enumerate(run.modules):
        (line,) = axes.step(times, [record.load[m] for record in run.periods], label=module.name)
        axes.step(times, [record.demand[m] for record in run.periods], color=line.get_color(), linestyle=":")
    bands = [record.band for record in run.periods if record.band is not None and record.end < run.seconds]
    if bands:
        when, least, most = np.array(bands).T
        axes.fill_between(when, least, most, color="0.5", alpha=0.3, linewidth=0, label="forecast of the root")
    axes.set_ylabel("load (solid) and\nenvelope (dotted), req/s")
    axes.legend(loc="upper right", ncols=3, fontsize="small", edgecolor="none")


def _draw_machines(axes: Axes, run: SloptRun, hindsight: SloptRun | None) -> None:
    times = [record.end for record in run.periods]
    counts = np.array([record.machines for record in run.periods]).T
    axes.stackplot(times, counts, labels=[module.name for module in run.modules], step="post", alpha=0.8)
    if hindsight is not None:
        fewest = [sum(record.machines) for record in hindsight.periods]
        ends = [record.end for record in hindsight.periods]
        (line,) = axes.step(ends, fewest, color="0.1", where="post", label="all modules in hindsight")
        axes.legend(handles=[line], loc="lower right", fontsize="small", edgecolor="none")
    axes.set_ylabel("machines")


def _draw_latency(axes: Axes, run: SloptRun) -> None:
    for share, style in ((0.5, "-"), (0.99, "--")):
        values = latency_by_second(run, share) * 1e3
        axes.plot(np.arange(values.size) + 0.5, values, style, color="0.2", label=f"P{share * 100:g}")
    axes.axhline(run.slo * 1e3, color="0.6", linestyle=":", label="SLO")
    axes.set_ylabel("latency (ms)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right", ncols=3, fontsize="small", edgecolor="none")


def _draw_drops(axes: Axes, run: SloptRun) -> None:
    edges = np.arange(int(run.seconds) + 1)
    late = run.arrivals[np.isfinite(run.finish) & (run.finish - run.arrivals > run.slo)]
    axes.stairs(np.histogram(run.arrivals[np.isfinite(run.dropped_at)], edges)[0], edges, label="dropped", fill=True)
    axes.stairs(np.histogram(late, edges)[0], edges, label="late", color="0.2")
    axes.set_ylabel("requests per second\nof arrival")
    axes.legend(loc="upper right", ncols=2, fontsize="small", edgecolor="none")


def draw_slopt(run: SloptRun, path: Path, hindsight: SloptRun | None = None) -> None:
    """Draw `slopt_figure` to ``path``, whose name says the format."""
    save_figure(slopt_figure(run, hindsight), path, dpi=150)
