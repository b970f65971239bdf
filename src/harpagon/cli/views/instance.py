"""An instance in the terminal: hardware, pipelines, profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.tables import plain_table
from harpagon.graphs import propagate_rates
from harpagon.instances.figures import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from harpagon.instances.instance import Configuration, Instance, Pipeline


def instance_view(instance: Instance) -> list[RenderableType]:
    """What to print."""
    parts: list[RenderableType] = [Text.assemble((instance.name, "bold"), f"  {instance.billing} billing")]
    if instance.description:
        parts.append(Text(instance.description, "dim"))
    parts.append(_hardware(instance))
    parts += [_pipeline(pipeline) for pipeline in instance.pipelines]
    for model in instance.models:
        parts += _profile(model, instance.profiles[model])
    return parts


def _hardware(instance: Instance) -> Table:
    types = instance.hardware.values()
    bundled = any(hardware.bundle > 1 for hardware in types)
    sized = any(hardware.memory_gb is not None for hardware in types)
    table = plain_table("hardware", "$/h", "limit", *(["bundle"] * bundled), *(["memory (GB)"] * sized))
    for hardware in types:
        cells = [f"{hardware.price:g}", "-" if hardware.limit is None else str(hardware.limit)]
        cells += [str(hardware.bundle)] * bundled
        cells += ["-" if hardware.memory_gb is None else f"{hardware.memory_gb:g}"] * sized
        table.add_row(Text(hardware.name), *cells)
    return table


def _pipeline(pipeline: Pipeline) -> Table:
    title = f"{pipeline.name}: {figure(pipeline.rate, 9)} req/s, SLO {pipeline.slo * 1e3:g} ms"
    if pipeline.burst > 1:
        title += f", bursts of {pipeline.burst}"
    table = plain_table("module", "req/s", "model", "from", left=(0, 2, 3), title=title)
    for name, rate in propagate_rates(pipeline.graph, pipeline.rate).items():
        sources = [
            f"{tail} x {data.get('fanout', 1.0):g}" for tail, _, data in pipeline.graph.in_edges(name, data=True)
        ]
        table.add_row(Text(name), figure(rate, 6), Text(pipeline.graph.nodes[name]["model"]), Text(", ".join(sources)))
    return table


def _profile(model: str, profile: tuple[Configuration, ...]) -> list[Table]:
    """Batch durations as one table, capacity points as another."""
    batched = [c for c in profile if not c.is_capacity]
    stated = [c for c in profile if c.is_capacity]
    return ([_durations(model, batched)] if batched else []) + ([_capacity(model, stated)] if stated else [])


def _durations(model: str, profile: Sequence[Configuration]) -> Table:
    batches = sorted({configuration.batch for configuration in profile})
    what = "batch duration in ms" + (" (mean)" if any(c.mean < c.duration for c in profile) else "")
    table = plain_table("batch size", *map(str, batches), title=f"{model}: {what}")
    by_hardware: dict[str, dict[int, str]] = {}
    for configuration in profile:
        by_hardware.setdefault(configuration.hardware, {})[configuration.batch] = _duration(configuration)
    for hardware, durations in by_hardware.items():
        table.add_row(Text(hardware), *(durations.get(batch, "-") for batch in batches))
    return table


def _duration(configuration: Configuration) -> str:
    planned = f"{configuration.duration * 1e3:.4g}"
    return planned if configuration.mean == configuration.duration else f"{planned} ({configuration.mean * 1e3:.4g})"


def _capacity(model: str, profile: Sequence[Configuration]) -> Table:
    table = plain_table("hardware", "req/s of one machine", "latency (ms)", title=f"{model}: capacity")
    for point in profile:
        table.add_row(Text(point.hardware), figure(point.throughput, 6), f"{point.duration * 1e3:.4g}")
    return table
