"""An instance in the terminal: hardware, pipelines, profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.tables import plain_table
from harpagon.graphs import propagate_rates

if TYPE_CHECKING:
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
    parts += [_profile(model, instance.profiles[model]) for model in _models(instance)]
    return parts


def _models(instance: Instance) -> list[str]:
    """Models in use, in the order of the pipelines."""
    used = (data["model"] for pipeline in instance.pipelines for _, data in pipeline.graph.nodes(data=True))
    return list(dict.fromkeys(used))


def _hardware(instance: Instance) -> Table:
    table = plain_table("hardware", "$/h", "limit")
    for name, hardware in instance.hardware.items():
        table.add_row(Text(name), f"{hardware.price:g}", "-" if hardware.limit is None else str(hardware.limit))
    return table


def _pipeline(pipeline: Pipeline) -> Table:
    title = f"{pipeline.name}: {pipeline.rate:g} req/s, SLO {pipeline.slo * 1e3:g} ms"
    table = plain_table("module", "req/s", "model", "from", left=(0, 2, 3), title=title)
    for name, rate in propagate_rates(pipeline.graph, pipeline.rate).items():
        sources = [
            f"{tail} x {data.get('fanout', 1.0):g}" for tail, _, data in pipeline.graph.in_edges(name, data=True)
        ]
        table.add_row(Text(name), f"{rate:.6g}", Text(pipeline.graph.nodes[name]["model"]), Text(", ".join(sources)))
    return table


def _profile(model: str, profile: tuple[Configuration, ...]) -> Table:
    batches = sorted({configuration.batch for configuration in profile})
    table = plain_table("batch size", *map(str, batches), title=f"{model}: batch duration in ms")
    by_hardware: dict[str, dict[int, float]] = {}
    for configuration in profile:
        by_hardware.setdefault(configuration.hardware, {})[configuration.batch] = configuration.duration
    for hardware, durations in by_hardware.items():
        cells = (f"{durations[batch] * 1e3:.4g}" if batch in durations else "-" for batch in batches)
        table.add_row(Text(hardware), *cells)
    return table
