"""A three-module pipeline over bandwidth traces: containers resized in place, beside containers of fixed size."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx
import pandas as pd

from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.sponge.core_latency import SPONGE_REFIT
from harpagon.heuristics.baselines.vertical import plan_vertical_pipeline
from harpagon.instances.cpu.instance import core_instance
from harpagon.instances.instance import Instance, Pipeline
from harpagon.instances.policies import Dispatch
from harpagon.simulation.sponge.bandwidth import synthetic_bandwidth
from harpagon.simulation.sponge.pipeline import run_pipeline
from harpagon.simulation.sponge.pipeline_scaler import FixedPipelineScaler, InPlacePipelineScaler, count_unavoidable
from harpagon.simulation.sponge.requests import send_requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.simulation.sponge.pipeline_scaler import PipelineScaler

RATE, SLO, SIZE, DURATION = 20.0, 1.0, 500e3, 600.0


def three_modules() -> Instance:
    """Detect, classify, recognise in a chain, each with Sponge's YOLO refit as its duration (stand-ins)."""
    modules = ("detect", "classify", "recognise")
    graph = nx.DiGraph()
    for module in modules:
        graph.add_node(module, model=module, join="all")
    for tail, head in pairwise(modules):
        graph.add_edge(tail, head, fanout=1.0, transfer=0.0)
    profiles = {module: SPONGE_REFIT.profile(module, range(1, 17), range(1, 17)) for module in modules}
    return core_instance("three-modules", profiles, Pipeline("three-modules", RATE, SLO, graph))


def pipeline_rows(seeds: Sequence[int] = range(10), duration: float = DURATION) -> pd.DataFrame:
    """One row per seed and scaler: late requests, those lost before they arrived, core-seconds, changes."""
    instance = three_modules()
    problem = pipeline_problem(instance, instance.pipelines[0])
    rows = []
    for seed in seeds:
        requests = send_requests(synthetic_bandwidth(seed), RATE, SIZE, SLO, duration)
        lost = count_unavoidable(problem, requests)
        for name, scaler in _scalers(problem).items():
            run = run_pipeline(instance, scaler, requests, duration)
            late = {"violations": run.violations, "unavoidable": lost, "avoidable": run.violations - lost}
            rows.append(
                {"scaler": name, "seed": seed, **late, "core_seconds": run.core_seconds, "changes": run.changes}
            )
    return pd.DataFrame(rows)


def _scalers(problem: PipelineProblem) -> dict[str, PipelineScaler]:
    return {
        "in place": InPlacePipelineScaler(problem),
        "in place, a change must save 2 cores": InPlacePipelineScaler(problem, change_cost=2.0),
        "fixed for the whole SLO": _fixed(problem, 1.0),
        "fixed for 0.7 of the SLO": _fixed(problem, 0.7),
        "fixed for 0.4 of the SLO": _fixed(problem, 0.4),
    }


def _fixed(problem: PipelineProblem, share: float) -> FixedPipelineScaler:
    planned = plan_vertical_pipeline(problem, share * problem.slo, Dispatch.TC)
    if planned is None:
        raise ValueError(f"no plan for {share:g} of the SLO")
    return FixedPipelineScaler(tuple(module.tuples[0].configuration for module in planned.modules.values()))
