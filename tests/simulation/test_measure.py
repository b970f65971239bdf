"""What is counted as late, per result and per root request."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from simulation_cases import SMALL, pipeline_plan

from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.frames import FrameMeasure


@pytest.mark.parametrize(("slo", "late"), [(0.1, 0), (0.1 / 1.01, 4), (0.0999, 4), (0.1001, 0)])
def test_a_result_a_hundredth_over_the_slo_is_late(slo: float, late: int) -> None:
    """Batches of two that come in pairs take 100 ms to the microsecond."""
    graph = nx.DiGraph()
    graph.add_node("m")
    instance, plan = pipeline_plan(graph, 20.0, {"m": (DispatchTuple.full(SMALL, 1),)}, Dispatch.TC, slo)
    pairs = TraceArrivals("pairs", np.array([0.0, 0.0, 1.0, 1.0]))
    report = simulate(instance, plan, pairs, duration=5.0).pipelines[0]
    assert report.latency.maximum == pytest.approx(0.1, abs=1e-9)
    assert (report.violations, report.late_frames) == (late, late)


def piece(roots: list[int], following: int) -> Flow:
    found = np.array(roots, dtype=np.int64)
    return Flow(np.zeros(found.size), found, np.zeros(found.size), 0.0, following, 0.0)


def test_a_frame_is_as_late_as_its_last_result_at_any_sink() -> None:
    """Root 1 brings nothing; root 3 is not through at the second sink."""
    frames = FrameMeasure(1.0, 2)
    frames.enter(np.array([0.0, 1.0]))
    frames.enter(np.array([2.0, 3.0]))
    frames.add(0, piece([0, 0, 2, 3], 4), np.array([0.5, 0.2, 2.1, 3.1]))
    assert frames.histogram.count == 0
    frames.add(1, piece([0, 2, 2], 3), np.array([0.4, 2.3, 3.5]))
    assert (frames.histogram.count, frames.histogram.maximum, frames.violations) == (2, 1.5, 1)
    assert frames.histogram.total == pytest.approx(2.0)
    frames.add(1, piece([3], 4), np.array([3.2]))
    assert frames.histogram.count == 3


def test_the_timeline_and_the_use_of_machines_by_hand() -> None:
    """Pairs at 0 and at 1 s of 5 take 100 ms each on one of two machines: a fiftieth of the time of both."""
    graph = nx.DiGraph()
    graph.add_node("m")
    instance, plan = pipeline_plan(graph, 40.0, {"m": (DispatchTuple.full(SMALL, 2),)}, Dispatch.EDF, 0.3)
    pairs = TraceArrivals("pairs", np.array([0.0, 0.0, 1.0, 1.0]))
    report = simulate(instance, plan, pairs, duration=5.0).pipelines[0]
    (part,) = report.modules[0].tuples
    assert (part.mean_batch, part.utilisation) == pytest.approx((2.0, 0.02))
    ends, slices = report.timeline.ends, len(report.timeline.ends)
    assert (ends[0], ends[-1]) == (pytest.approx(5.0 / slices), pytest.approx(5.0))
    filled = [end for end, mean in zip(ends, report.timeline.mean, strict=True) if not np.isnan(mean)]
    assert filled == pytest.approx([5.0 / slices, 5.0 / slices * (slices // 5 + 1)])
    assert max(report.timeline.maximum) == pytest.approx(0.1)
    assert [mean for mean in report.timeline.mean if not np.isnan(mean)] == pytest.approx([0.1, 0.1])
