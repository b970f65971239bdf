"""An instance in the terminal: hardware, pipelines, profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from harpagon.graphs import propagate_rates

if TYPE_CHECKING:
    from rich.console import RenderableType

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
    table = _table("hardware", "$/h", "limit")
    for name, hardware in instance.hardware.items():
        table.add_row(Text(name), f"{hardware.price:g}", "-" if hardware.limit is None else str(hardware.limit))
    return table


def _pipeline(pipeline: Pipeline) -> Table:
    table = _table("module", "req/s", "model", "from")
    table.title = Text(f"{pipeline.name}: {pipeline.rate:g} req/s, SLO {pipeline.slo * 1e3:g} ms", "bold")
    for name, rate in propagate_rates(pipeline.graph, pipeline.rate).items():
        sources = [
            f"{tail} x {data.get('fanout', 1.0):g}" for tail, _, data in pipeline.graph.in_edges(name, data=True)
        ]
        table.add_row(Text(name), f"{rate:.6g}", Text(pipeline.graph.nodes[name]["model"]), Text(", ".join(sources)))
    return table


def _profile(model: str, profile: tuple[Configuration, ...]) -> Table:
    batches = sorted({configuration.batch for configuration in profile})
    table = _table("batch size", *map(str, batches))
    table.title = Text(f"{model}: batch duration in ms", "bold")
    by_hardware: dict[str, dict[int, float]] = {}
    for configuration in profile:
        by_hardware.setdefault(configuration.hardware, {})[configuration.batch] = configuration.duration
    for hardware, durations in by_hardware.items():
        cells = (f"{durations[batch] * 1e3:.4g}" if batch in durations else "-" for batch in batches)
        table.add_row(Text(hardware), *cells)
    return table


def _table(*columns: str | Text) -> Table:
    table = Table(box=SIMPLE_HEAD, title_justify="left", padding=(0, 1))
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table
