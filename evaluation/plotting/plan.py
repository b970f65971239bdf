"""A plan as a figure: modules from left to right, with rates, tuples, latency against budget and cost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.layout import layered_layout
from harpagon.evaluation.plotting.palette import axes
from harpagon.evaluation.plotting.saving import literal, save_figure
from harpagon.formulations.problem import pipeline_problem
from harpagon.instances.checks import expect
from harpagon.instances.figures import figure
from harpagon.instances.instance import Instance
from harpagon.instances.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harpagon.evaluation.plotting.layout import Slot
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.instances.instance import Pipeline
    from harpagon.instances.plan import ModulePlan, PipelinePlan

# Inches.
_BOX = 2.7
_GAP = 1.3
_ROW = 0.21
_PAD = 0.12
_SPACE = 0.35
_PASSAGE = 0.25
_MARGIN = 0.3
_HEADER = 0.95

_INK, _FAINT, _LINE, _FILL = "#1f2933", "#616e7c", "#9aa5b1", "#f5f7fa"
_WITHIN, _PAST, _ROOM = "#2f855a", "#c53030", "#dde3ea"
_PATH_COLOURS = ("#2b6cb0", "#2f855a", "#b7791f", "#6b46c1", "#c05621", "#2c7a7b")


def plot_plan(instance: Instance, plan: Plan, *, ax: Axes | None = None) -> Axes:
    """Draw every pipeline of a plan, one below the other.

    Parameters
    ----------
    instance
        What was planned.
    plan
        Its plan.
    ax
        Axes to draw on, which lose their ticks; None for new ones, in the size that suits the text.

    Returns
    -------
    Axes
        Those drawn on; one unit is one inch at the size that suits the text.
    """
    expect(Instance, instance=instance)
    expect(Plan, plan=plan)
    drawings = _drawings(instance, plan)
    width, height = _size(drawings)
    ax = axes(ax, (width, height))
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_axis_off()
    top = height
    for drawing in drawings:
        drawing.draw(ax, top, f"{plan.billing} billing, {plan.dispatch} dispatch")
        top -= drawing.height
    literal(ax)
    return ax


def draw_plan(instance: Instance, plan: Plan, path: Path) -> None:
    """Write `plot_plan` to a file; the ending chooses PNG, SVG or PDF.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=_size(_drawings(instance, plan)))
    plot_plan(instance, plan, ax=drawing.add_axes((0, 0, 1, 1)))
    save_figure(drawing, path, dpi=150)


def _drawings(instance: Instance, plan: Plan) -> list[_Drawing]:
    colours = {name: _PATH_COLOURS[k % len(_PATH_COLOURS)] for k, name in enumerate(plan.shared_machines())}
    return [_Drawing.of(instance, *pair, colours) for pair in zip(instance.pipelines, plan.pipelines, strict=True)]


def _size(drawings: Sequence[_Drawing]) -> tuple[float, float]:
    """Width and height in inches."""
    return max(drawing.width for drawing in drawings), sum(drawing.height for drawing in drawings)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One pipeline, with places in inches from its top left corner, y downwards."""

    pipeline: Pipeline
    planned: PipelinePlan
    problem: PipelineProblem
    places: Sequence[tuple[Slot, float, float]]
    """Slots, the left ends of their boxes and the middles of their heights, layer by layer."""
    width: float
    height: float
    colours: Mapping[str, str]
    """Shared machine to the edges of the boxes that take turns on it."""

    @classmethod
    def of(cls, instance: Instance, pipeline: Pipeline, planned: PipelinePlan, colours: Mapping[str, str]) -> _Drawing:
        problem = pipeline_problem(instance, pipeline)
        layers = layered_layout(problem.network).layers
        heights = [[_slot_height(slot, planned) for slot in layer] for layer in layers]
        tall = max(sum(column) + _SPACE * (len(column) - 1) for column in heights)
        places = []
        for k, (layer, column) in enumerate(zip(layers, heights, strict=True)):
            y = _HEADER + (tall - sum(column) - _SPACE * (len(column) - 1)) / 2
            for slot, height in zip(layer, column, strict=True):
                places.append((slot, _MARGIN + k * (_BOX + _GAP), y + height / 2))
                y += height + _SPACE
        width = 2 * _MARGIN + len(layers) * (_BOX + _GAP) - _GAP
        return cls(pipeline, planned, problem, places, max(width, 6.0), _HEADER + tall + _MARGIN, colours)

    def draw(self, axis: Axes, top: float, terms: str) -> None:
        _draw_header(axis, self, top - _MARGIN, terms)
        for tail, head, data in self.pipeline.graph.edges(data=True):
            _draw_edge(axis, self._route(tail, head, top), self._edge_label(tail, data))
        budgets = _budgets(self.problem, self.planned)
        for slot, x, y in self.places:
            if slot.is_module:
                module = self.planned.modules[slot.name]
                names = (slot.name, self.pipeline.graph.nodes[slot.name]["model"])
                _draw_box(axis, x, top - y, names, module, budgets[slot.name], self.colours.get(_host(module), _LINE))

    def _route(self, tail: str, head: str, top: float) -> list[tuple[float, float]]:
        """Points from the right end of ``tail`` through its passages to the left end of ``head``."""
        points = []
        for slot, x, y in self.places:
            if slot.name == tail and slot.is_module:
                points.append((x + _BOX, top - y))
            elif (slot.name == tail and slot.head == head) or (slot.name == head and slot.is_module):
                points.append((x, top - y))
                if not slot.is_module:
                    points.append((x + _BOX, top - y))
        return points

    def _edge_label(self, tail: str, data: Mapping[str, float]) -> str:
        rate = self.planned.modules[tail].rate * data.get("fanout", 1.0)
        transfer = data.get("transfer", 0.0)
        return f"{figure(rate)} req/s" + (f"\n+ {transfer * 1e3:.4g} ms" if transfer else "")


def _slot_height(slot: Slot, planned: PipelinePlan) -> float:
    return _box_height(planned.modules[slot.name]) if slot.is_module else _PASSAGE


def _box_height(module: ModulePlan) -> float:
    return 2 * _PAD + _ROW * (3 + len(module.tuples) + _has_dummies(module))


def _host(module: ModulePlan) -> str:
    """Shared machine on which a module takes turns; empty where its machines are its own."""
    return module.pace.machine if module.pace is not None else ""


def _has_dummies(module: ModulePlan) -> bool:
    return module.dummy_rate > 1e-6 * module.rate


def _budgets(problem: PipelineProblem, planned: PipelinePlan) -> dict[str, float]:
    """Module name to the seconds it could take before a path passes the SLO, the others unchanged."""
    latencies = [planned.modules[name].latency for name in problem.network.modules]
    lengths = problem.network.path_lengths(latencies)
    return {
        name: latency + max(0.0, planned.slo - length)
        for name, latency, length in zip(problem.network.modules, latencies, lengths, strict=True)
    }


def _draw_header(axis: Axes, drawing: _Drawing, y: float, terms: str) -> None:
    """Name and cost, and the critical path's modules along a bar that ends at the SLO."""
    planned, problem = drawing.planned, drawing.problem
    right = drawing.width - _MARGIN
    title = f"{planned.name}   {figure(drawing.pipeline.rate, 6)} req/s"
    axis.text(_MARGIN, y, title, fontsize=11, weight="bold", color=_INK, va="center")
    axis.text(right - 1.2, y, terms, fontsize=8, color=_FAINT, va="center", ha="right")
    axis.text(right, y, f"${planned.cost:.4f}/h", fontsize=11, weight="bold", color=_INK, va="center", ha="right")
    claim = f"{_figure(planned.latency)} of {_figure(planned.slo)} ms SLO"
    axis.text(right, y - 0.3, claim, fontsize=8, color=_INK, va="center", ha="right")
    length = right - _MARGIN - 1.6
    _rectangle(axis, _MARGIN, y - 0.38, length, 0.16, _ROOM)
    latencies = [planned.modules[name].latency for name in problem.network.modules]
    heads = dict(zip(problem.network.modules, problem.network.heads(latencies), strict=True))
    scale = length / max(planned.slo, planned.latency)
    for i, name in enumerate(problem.network.critical_path(latencies)):
        colour = _PATH_COLOURS[i % len(_PATH_COLOURS)]
        wide = planned.modules[name].latency * scale
        _rectangle(axis, _MARGIN + heads[name] * scale, y - 0.38, wide, 0.16, colour)
        if wide > 0.075 * len(name):
            x = _MARGIN + heads[name] * scale + wide / 2
            axis.text(x, y - 0.305, name, fontsize=6.5, color="white", va="center", ha="center")


def _draw_box(
    axis: Axes, x: float, y: float, names: tuple[str, str], module: ModulePlan, budget: float, edge: str
) -> None:
    """A module, ``names`` being its own and its model's."""
    from matplotlib.patches import FancyBboxPatch

    height = _box_height(module)
    corner = (x, y - height / 2)
    style = "round,pad=0,rounding_size=0.07"
    axis.add_patch(FancyBboxPatch(corner, _BOX, height, boxstyle=style, facecolor=_FILL, edgecolor=edge, zorder=2))
    row = y + height / 2 - _PAD - _ROW / 2
    _line(axis, x, row, _shorten(names[0], 22), f"${module.cost:.4f}/h", size=9, weight="bold")
    row -= _ROW
    model = f"{names[1]} on {_host(module)}" if _host(module) else names[1]
    _line(axis, x, row, _shorten(model, 24), f"{figure(module.rate)} req/s", size=7.5, colour=_FAINT)
    for part, latency in zip(module.tuples, module.tuple_latencies, strict=True):
        row -= _ROW
        machines = f"{part.machines:.0f}" if float(part.machines).is_integer() else f"{part.machines:.3f}"
        figures = f"{figure(part.rate)} req/s   {_figure(latency)} ms"
        _line(axis, x, row, f"{machines} x {part.configuration}", figures, size=7.5)
    if _has_dummies(module):
        row -= _ROW
        what = "dummy requests" if module.pace is None else "spare capacity"
        _line(axis, x, row, what, f"+ {figure(module.dummy_rate)} req/s", size=7.5, colour=_FAINT)
    _draw_bar(axis, x + _PAD, row - _ROW, module.latency, budget)


def _draw_bar(axis: Axes, x: float, y: float, latency: float, budget: float) -> None:
    length = _BOX - 2 * _PAD - 1.2
    _rectangle(axis, x, y - 0.05, length, 0.1, _ROOM)
    colour = _WITHIN if latency <= budget * (1 + 1e-9) else _PAST
    _rectangle(axis, x, y - 0.05, length * min(1.0, latency / budget), 0.1, colour)
    text = f"{_figure(latency)} of {_figure(budget)} ms"
    axis.text(x + _BOX - 2 * _PAD, y, text, fontsize=6.5, color=_INK, va="center", ha="right", zorder=3)


def _draw_edge(axis: Axes, points: list[tuple[float, float]], label: str) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    vertices, codes = [points[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    arrow = FancyArrowPatch(
        path=Curve(vertices, codes), arrowstyle="-|>", mutation_scale=11, color=_LINE, linewidth=1.3, zorder=1
    )
    axis.add_patch(arrow)
    (x0, y0), (x1, y1) = points[0], points[1]
    backing = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    axis.text(x, y, label, fontsize=6.5, color=_FAINT, ha="center", va="center", bbox=backing, zorder=3)


def _line(
    axis: Axes, x: float, y: float, left: str, right: str, *, size: float, colour: str = _INK, weight: str = "normal"
) -> None:
    for place, text, side in ((x + _PAD, left, "left"), (x + _BOX - _PAD, right, "right")):
        axis.text(place, y, text, ha=side, va="center", fontsize=size, color=colour, weight=weight, zorder=3)


def _rectangle(axis: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    axis.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="none", zorder=3))


def _figure(seconds: float) -> str:
    """Milliseconds in four figures, never in powers of ten."""
    return f"{seconds * 1e3:.4g}" if seconds < 10 else f"{seconds * 1e3:.0f}"


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
