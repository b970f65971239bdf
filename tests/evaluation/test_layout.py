"""Layouts and drawings: every module and every edge is in the picture once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.cli.views.connectors import connector_rows
from harpagon.cli.views.plan import plan_view
from harpagon.evaluation.plotting.layout import Slot, layered_layout
from harpagon.evaluation.plotting.plan import draw_plan
from harpagon.graphs import PathNetwork
from harpagon.graphs.shapes import SHAPES
from harpagon.instances.generate import random_instance
from harpagon.solvers.methods import solve

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_every_edge_is_a_chain_of_segments_through_its_own_passages(seed: int, modules: int) -> None:
    graph = SHAPES["random"](modules, random.Random(seed))
    layout = layered_layout(PathNetwork.from_graph(graph))
    placed = [slot.name for layer in layout.layers for slot in layer if slot.is_module]
    assert sorted(placed) == sorted(graph.nodes)
    drawn = nx.DiGraph()
    for k, segments in enumerate(layout.segments):
        drawn.add_edges_from(((k, layout.layers[k][i]), (k + 1, layout.layers[k + 1][j])) for i, j in segments)
    ends = {
        (tail[1].name, head[1].name)
        for tail in drawn
        if tail[1].is_module
        for head in drawn
        if head[1].is_module and tail != head
        if nx.has_path(
            drawn.subgraph([tail, head, *(n for n in drawn if (n[1].name, n[1].head) == (tail[1].name, head[1].name))]),
            tail,
            head,
        )
    }
    assert ends == set(graph.edges)


def test_a_layer_is_ordered_without_comparing_every_module_with_every_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, equal = [], Slot.__eq__
    monkeypatch.setattr(Slot, "__eq__", lambda *two: compared.append(1) or equal(*two))
    graph = nx.DiGraph([(f"tail{k:03d}", f"head{k * 7 % 200}") for k in range(200)])
    graph.add_edges_from((f"tail{k + 1:03d}", f"head{k * 7 % 200}") for k in range(0, 200, 2))
    layout = layered_layout(PathNetwork.from_graph(graph))
    heads = [head for _, head in sorted(layout.segments[0])]
    assert heads == sorted(heads), "no edges cross"
    assert len(compared) < 100 * 200


def test_a_fork_is_drawn_as_one_track() -> None:
    assert connector_rows([(0, 0), (0, 1)], [6], [2, 10], [2, 10], 13) == ["  ╭───┴───╮", "  ▼       ▼"]


def test_a_straight_line_is_an_arrow() -> None:
    assert connector_rows([(0, 0)], [3], [3], [3], 7) == ["   ▼"]


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_no_line_of_a_drawing_is_wider_than_the_terminal(shape: str) -> None:
    instance = random_instance(random.Random(2), shape=shape, modules=(5, 6))
    plan = solve(instance, "harpagon").plan
    assert plan is not None
    for width in (80, 120, 200):
        lines = plan_view(instance, plan, width)
        boxes = [line.plain for line in lines if "│" in line.plain or "╭" in line.plain]
        assert max(map(len, boxes)) <= width
        text = "\n".join(line.plain for line in lines)
        assert all(f"╭─ {name} " in text for pipeline in plan.pipelines for name in pipeline.modules)


def test_figure_holds_every_module_and_figure_of_the_plan(tmp_path: Path) -> None:
    import matplotlib

    instance = random_instance(random.Random(2), shape="diamond", modules=(4, 4))
    plan = solve(instance, "harpagon").plan
    assert plan is not None
    path = tmp_path / "plan.svg"
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw_plan(instance, plan, path)
    text = path.read_text(encoding="utf-8")
    for name, module in plan.pipelines[0].modules.items():
        assert f">{name}</text>" in text
        assert f"${module.cost:.4f}/h" in text
