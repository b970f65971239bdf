"""A plan in the terminal: the pipeline as boxes and lines, with rates, tuples, latency against budget and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.boxes import box, ends, milliseconds
from harpagon.cli.views.connectors import connector_rows, exit_columns
from harpagon.cli.views.machines import machine_view
from harpagon.evaluation.plotting.layout import layered_layout
from harpagon.formulations.assembly import idle_machines
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.figures import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx

    from harpagon.evaluation.plotting.layout import Layout, Slot
    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan, Plan

_BOX = 39
_PASSAGE = 3
_THROUGH = Text(" │ ", "dim")
_SPACE = 2
_BAR = 16


def plan_view(instance: Instance, plan: Plan, width: int) -> list[Text]:
    """Lines that draw every pipeline of a plan.

    Parameters
    ----------
    instance
        What was planned.
    plan
        Its plan.
    width
        Columns of the terminal. Where a pipeline is wider, its modules stand one below the other.
    """
    lines: list[Text] = []
    for pipeline, planned in zip(instance.pipelines, plan.pipelines, strict=True):
        lines += [_headline(pipeline, planned), Text(), *_drawing(instance, pipeline, planned, width), Text()]
    return [*lines, *machine_view(instance, plan), *_idle_view(instance, plan)]


def _idle_view(instance: Instance, plan: Plan) -> list[Text]:
    """What fills up bundles: no module's, but paid for."""
    return [
        Text.assemble(
            (f"{count:.0f} x {name}", "bold"),
            f" idle  {name} is sold in bundles of {instance.hardware[name].bundle}  ",
            (f"${count * instance.hardware[name].price:.4f}/h\n", "bold"),
        )
        for name, count in idle_machines(instance, plan).items()
    ]


def _headline(pipeline: Pipeline, planned: PipelinePlan) -> Text:
    return Text.assemble(
        (pipeline.name, "bold"),
        f"  {figure(pipeline.rate, 6)} req/s in  ",
        bar(planned.latency, planned.slo),
        f"  {milliseconds(planned.latency)} of {milliseconds(planned.slo)} SLO  ",
        (f"${planned.cost:.4f}/h", "bold"),
    )


def _drawing(instance: Instance, pipeline: Pipeline, planned: PipelinePlan, width: int) -> list[Text]:
    problem = pipeline_problem(instance, pipeline)
    latencies = [planned.modules[name].latency for name in problem.network.modules]
    lengths = problem.network.path_lengths(latencies)
    boxes = {}
    for name, length in zip(problem.network.modules, lengths, strict=True):
        module = planned.modules[name]
        boxes[name] = _box(name, pipeline.graph, module, module.latency + max(0.0, planned.slo - length))
    layout = layered_layout(problem.network)
    span = max(_layer_width(layer) for layer in layout.layers)
    if span > width:
        return [line for lines in boxes.values() for line in lines]
    return _layered(layout, boxes, span)


def _box(name: str, graph: nx.DiGraph, module: ModulePlan, budget: float) -> list[Text]:
    inner = _BOX - 4
    model = graph.nodes[name]["model"]
    rows = [ends(Text(f"{model}", "italic"), Text(f"{figure(module.rate, 6)} req/s"), inner)]
    rows += [ends(Text(f"from {text}", "dim"), Text(), inner) for text in _sources(graph, name)]
    if module.dummy_rate > 1e-6 * module.rate:
        what = "dummy requests" if module.pace is None else "spare capacity"
        rows.append(ends(Text(what, "dim"), Text(f"+ {figure(module.dummy_rate)} req/s", "dim"), inner))
    rows += [
        _tuple_row(part, latency, inner) for part, latency in zip(module.tuples, module.tuple_latencies, strict=True)
    ]
    if module.pace is not None and module.pace.machine:
        rest = f"{1 - module.pace.own_share} of it " if module.pace.own_share else ""
        rows.append(ends(Text(f"{rest}takes turns on {module.pace.machine}", "dim"), Text(), inner))
    rows.append(ends(bar(module.latency, budget), Text(_against(module.latency, budget)), inner))
    return box(name, module.cost, rows, _BOX)


def _sources(graph: nx.DiGraph, name: str) -> list[str]:
    lines = []
    for tail, _, data in sorted(graph.in_edges(name, data=True), key=lambda edge: str(edge[0])):
        transfer = data.get("transfer", 0.0)
        delay = f" + {milliseconds(transfer)}" if transfer else ""
        lines.append(f"{tail} x {data.get('fanout', 1.0):.4g}{delay}")
    if len(lines) > 1:
        lines[0] += f" (join: {graph.nodes[name].get('join', 'all')})"
    return lines


def _tuple_row(part: DispatchTuple, latency: float, width: int) -> Text:
    machines = f"{part.machines:.0f}" if float(part.machines).is_integer() else f"{part.machines:.3f}"
    left = Text.assemble((machines, "bold"), f" x {part.configuration}")
    return ends(left, Text(f"{figure(part.rate)}/s {milliseconds(latency):>9}"), width)


def _against(latency: float, budget: float) -> str:
    return f"{latency * 1e3:.4g} of {milliseconds(budget)}"


def bar(value: float, whole: float) -> Text:
    """A bar filled to ``value / whole``; red where the value passes the whole."""
    filled = min(_BAR, round(_BAR * value / whole))
    colour = "red" if value > whole * (1 + 1e-9) else "green"
    return Text.assemble(("█" * filled, colour), ("░" * (_BAR - filled), "dim"))


def _layer_width(layer: Sequence[Slot]) -> int:
    return sum(_slot_width(slot) for slot in layer) + _SPACE * (len(layer) - 1)


def _slot_width(slot: Slot) -> int:
    return _BOX if slot.is_module else _PASSAGE


def _layered(layout: Layout, boxes: dict[str, list[Text]], span: int) -> list[Text]:
    starts = [_starts(layer, span) for layer in layout.layers]
    lines = _layer_lines(layout.layers[0], boxes, starts[0])
    for k, segments in enumerate(layout.segments):
        above, below = layout.layers[k], layout.layers[k + 1]
        heads = _centres(below, starts[k + 1])
        passages = {place for place, slot in enumerate(above) if not slot.is_module}
        tails = exit_columns(segments, _centres(above, starts[k]), heads, passages)
        arrows = [heads[j] for _, j in segments if below[j].is_module]
        lines += [Text(row, "dim") for row in connector_rows(segments, tails, heads, arrows, span)]
        lines += _layer_lines(below, boxes, starts[k + 1])
    return lines


def _starts(layer: Sequence[Slot], span: int) -> list[int]:
    starts, column = [], (span - _layer_width(layer)) // 2
    for slot in layer:
        starts.append(column)
        column += _slot_width(slot) + _SPACE
    return starts


def _centres(layer: Sequence[Slot], starts: Sequence[int]) -> list[int]:
    return [start + _slot_width(slot) // 2 for slot, start in zip(layer, starts, strict=True)]


def _layer_lines(layer: Sequence[Slot], boxes: dict[str, list[Text]], starts: Sequence[int]) -> list[Text]:
    """Boxes side by side, all as tall as the tallest; through a passage the line runs on."""
    height = max(len(boxes[slot.name]) for slot in layer if slot.is_module)
    columns = [_stretched(boxes[slot.name], height) if slot.is_module else [_THROUGH] * height for slot in layer]
    lines = []
    for row in range(height):
        line = Text()
        for start, column in zip(starts, columns, strict=True):
            line.append(" " * (start - line.cell_len))
            line.append_text(column[row])
        line.rstrip()
        lines.append(line)
    return lines


def _stretched(box: list[Text], height: int) -> list[Text]:
    """The box with blank rows above its bar."""
    blank = Text("│" + " " * (_BOX - 2) + "│")
    return [*box[:-2], *[blank] * (height - len(box)), *box[-2:]]
