"""The suite `paper`: 1,131 workloads, balanced, feasible, the same everywhere."""

from __future__ import annotations

from collections import Counter

import pytest

from harpagon.graphs import PathNetwork, propagate_rates
from harpagon.instances.files.units import milliseconds
from harpagon.instances.library.applications import application, application_profiles
from harpagon.instances.library.paper_suite import (
    APPLICATIONS,
    LOOSEST,
    OBJECTIVES_MS,
    RATES,
    TIGHTEST,
    candidates,
    hardware_sets,
)
from harpagon.instances.library.suites import suite_workloads

PAPER = suite_workloads("paper")


def test_the_suite_is_balanced_over_applications_and_spread_over_its_grid() -> None:
    assert len({workload.name for workload in PAPER}) == len(PAPER) == 1131
    counts = Counter(workload.application for workload in PAPER)
    assert set(counts) == set(APPLICATIONS)
    assert set(counts.values()) == {226, 227}
    rates = Counter(workload.rate for workload in PAPER)
    assert set(rates) == set(RATES)
    assert min(rates.values()) > 1131 / len(RATES) / 2
    assert {milliseconds(workload.slo) for workload in PAPER} <= set(OBJECTIVES_MS)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_hardware_is_heterogeneous_and_every_type_is_used(name: str) -> None:
    sets = list(hardware_sets(name))
    assert {workload.hardware for workload in PAPER if workload.application == name} == set(sets)
    for chosen in sets:
        profiles = application_profiles(name, chosen)
        assert len(chosen) >= 2
        assert {c.hardware for profile in profiles.values() for c in profile} == set(chosen)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_sampled_workload_passes_the_filter(name: str) -> None:
    """The reference latency, computed here from its definition, bounds the objective from both sides."""
    graph = application(name).graph
    mine = [workload for workload in PAPER if workload.application == name]
    assert set(mine) <= set(candidates(name))
    for workload in mine[::10]:
        rates = propagate_rates(graph, workload.rate)
        profiles = application_profiles(name, workload.hardware)
        network = PathNetwork.from_graph(graph)
        quickest = [
            min(c.duration + c.batch / rates[module] for c in profiles[graph.nodes[module]["model"]])
            for module in network.modules
        ]
        assert TIGHTEST <= workload.slo / network.length(quickest) <= LOOSEST
