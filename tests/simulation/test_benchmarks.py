"""Simulated requests per second: run with ``pytest tests/simulation/test_benchmarks.py --benchmark-only``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import pytest
from simulation_cases import MIDDLE, SMALL, WORKED_SCHEDULE, pipeline_plan

from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Dispatch
from harpagon.simulation import simulate

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

REQUESTS = 300_000
SCHEDULES = {"mixed": WORKED_SCHEDULE, "small-batches": (DispatchTuple.full(MIDDLE, 4), DispatchTuple.full(SMALL, 4))}


@pytest.mark.parametrize("modules", [1, 5])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("dispatch", [Dispatch.TC, Dispatch.EDF, Dispatch.ROUND_ROBIN])
def test_simulated_requests(benchmark: BenchmarkFixture, dispatch: Dispatch, schedule: str, modules: int) -> None:
    graph = nx.path_graph([f"m{number}" for number in range(modules)], create_using=nx.DiGraph)
    parts = SCHEDULES[schedule]
    rate = sum(part.rate for part in parts)
    instance, plan = pipeline_plan(graph, rate, dict.fromkeys(graph, parts), dispatch)
    report = benchmark(simulate, instance, plan, duration=REQUESTS / rate)
    benchmark.extra_info["requests_per_second"] = REQUESTS / benchmark.stats["mean"]
    assert report.pipelines[0].arrived == pytest.approx(REQUESTS, abs=1)
