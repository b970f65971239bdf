"""The suite `paper`: 1,131 workloads, balanced, feasible, the same everywhere."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harpagon.evaluation.gaps.tables import REFERENCE_DISPATCHES
from harpagon.graphs import PathNetwork, propagate_rates
from harpagon.instances.errors import InputError
from harpagon.instances.files.units import milliseconds
from harpagon.instances.library.applications import application, application_profiles
from harpagon.instances.library.optima import Optimum, optima_path, read_optima, write_optima
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
from harpagon.instances.policies import APART, Billing, Dispatch
from studies.optima import differences, prove

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.library.workloads import Workload

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


@pytest.fixture(scope="module")
def optima() -> dict[tuple[str, Billing, Dispatch], Optimum]:
    """The stored optima by workload, billing and dispatch."""
    return {optimum.problem: optimum for optimum in read_optima(optima_path("paper"))}


def test_every_workload_has_its_four_optima_with_provenance(
    optima: dict[tuple[str, Billing, Dispatch], Optimum],
) -> None:
    wanted = {(one.name, billing, dispatch) for one in PAPER for billing in APART for dispatch in REFERENCE_DISPATCHES}
    assert set(optima) == wanted
    assert all(one.bound <= one.cost * (1 + 1e-9) and one.bound >= one.cost * (1 - 1e-9) for one in optima.values())
    assert {one.method for one in optima.values()} == {"exact"}


def test_stored_optima_keep_the_order_of_what_they_allow(
    optima: dict[tuple[str, Billing, Dispatch], Optimum],
) -> None:
    """Free order allows every tc plan, fractional billing every whole plan."""
    for (name, billing, dispatch), optimum in optima.items():
        assert optima[name, billing, Dispatch.FREE].cost <= optimum.cost * (1 + 1e-9)
        assert optima[name, Billing.FRACTIONAL, dispatch].cost <= optima[name, Billing.WHOLE, dispatch].cost * (
            1 + 1e-9
        )


@pytest.mark.parametrize("workload", random.Random(1131).sample(PAPER, 25), ids=lambda workload: workload.name)
def test_a_sample_is_proven_again(workload: Workload, optima: dict[tuple[str, Billing, Dispatch], Optimum]) -> None:
    instance = workload.instance()
    for billing in APART:
        for dispatch in REFERENCE_DISPATCHES:
            again, stored = prove(instance, billing, dispatch), optima[workload.name, billing, dispatch]
            assert again.instance == stored.instance
            assert again.cost == pytest.approx(stored.cost, rel=1e-9)
            assert again.bound == pytest.approx(stored.bound, rel=1e-9)


def test_a_check_tells_every_difference(optima: dict[tuple[str, Billing, Dispatch], Optimum]) -> None:
    stored = list(optima.values())[:4]
    dearer, changed, bound = (
        replace(stored[0], cost=stored[0].cost * (1 + 1e-8)),
        replace(stored[1], instance="other"),
        replace(stored[2], bound=stored[2].bound * 0.99),
    )
    assert differences(stored, [replace(one, version="9") for one in stored]) == []
    assert len(differences(stored, [dearer, changed, bound])) == 4


def test_optima_are_written_byte_for_byte_as_they_are_read(tmp_path: Path) -> None:
    shipped = optima_path("paper")
    write_optima(tmp_path / "again.csv.gz", read_optima(shipped))
    assert gzip.decompress((tmp_path / "again.csv.gz").read_bytes()) == gzip.decompress(shipped.read_bytes())


def test_missing_optima_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no proven optima"):
        read_optima(tmp_path / "none.csv.gz")
