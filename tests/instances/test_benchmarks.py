"""The benchmark library: every case has its record, records are what the methods find, hard instances are there."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harpagon.evaluation.gaps.tables import REFERENCE_DISPATCHES
from harpagon.instances.errors import InputError
from harpagon.instances.library.benchmarks import Benchmark, benchmark_path, read_benchmarks, write_benchmarks
from harpagon.instances.library.shipped import resolve
from harpagon.instances.library.suites import HARD, benchmark_cases, instance_names, suite_workloads
from harpagon.instances.policies import APART, Billing, Dispatch
from studies.benchmarks import AGREEMENT, HEURISTICS, benchmark, differences

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.library.workloads import Workload

PAPER = suite_workloads("paper")
BENCHMARKED = ("hard", "paper", "smoke")


@pytest.fixture(scope="module")
def stored() -> dict[tuple[str, Billing, Dispatch], Benchmark]:
    """The stored records by workload, billing and dispatch."""
    return {one.case: one for one in read_benchmarks(benchmark_path("paper"))}


def test_every_workload_has_its_optima_with_provenance(
    stored: dict[tuple[str, Billing, Dispatch], Benchmark],
) -> None:
    wanted = {(one.name, billing, dispatch) for one in PAPER for billing in APART for dispatch in REFERENCE_DISPATCHES}
    assert set(stored) == wanted
    assert all(one.bound <= one.best and one.optimum == one.best for one in stored.values())
    assert {(one.method, one.version) for one in stored.values()} == {("exact", "0.2.0")}


def test_no_heuristic_undercuts_an_optimum(stored: dict[tuple[str, Billing, Dispatch], Benchmark]) -> None:
    for one in stored.values():
        assert one.heuristic in HEURISTICS
        assert one.heuristic_cost is not None
        assert one.heuristic_cost >= max(one.best * (1 - AGREEMENT[one.billing]), one.bound * (1 - 1e-9))


def test_stored_optima_keep_the_order_of_what_they_allow(
    stored: dict[tuple[str, Billing, Dispatch], Benchmark],
) -> None:
    """Free order allows every tc plan, fractional billing every whole plan."""
    for (name, billing, dispatch), one in stored.items():
        assert stored[name, billing, Dispatch.FREE].best <= one.best * (1 + AGREEMENT[billing])
        assert one.best <= stored[name, Billing.WHOLE, dispatch].best * (1 + 1e-9)


def test_padded_residuals_never_cost_more(stored: dict[tuple[str, Billing, Dispatch], Benchmark]) -> None:
    """The optima of the rule without padding are kept beside; no bound of today's rule is above them."""
    before = read_benchmarks(benchmark_path("paper-unpadded"))
    assert len(before) == 2 * len(PAPER)
    ratios = [stored[one.case].best / one.best for one in before]
    assert max(ratios) <= 1 + AGREEMENT[Billing.FRACTIONAL]
    assert min(ratios) < 0.7


@pytest.mark.parametrize("workload", random.Random(1131).sample(PAPER, 12), ids=lambda workload: workload.name)
def test_a_sample_is_proven_again(workload: Workload, stored: dict[tuple[str, Billing, Dispatch], Benchmark]) -> None:
    instance = workload.instance()
    quick = len(instance.pipelines[0].graph) <= 3  # more modules take seconds where costs are curves
    for billing in APART if quick else (Billing.WHOLE,):
        for dispatch in REFERENCE_DISPATCHES:
            before = stored[workload.name, billing, dispatch]
            again = benchmark(instance, billing, dispatch)
            assert (again.digest, again.heuristic) == (before.digest, before.heuristic)
            assert again.best == pytest.approx(before.best, rel=AGREEMENT[billing])
            assert again.bound == pytest.approx(before.bound, rel=AGREEMENT[billing])
            assert again.heuristic_cost == pytest.approx(before.heuristic_cost, rel=1e-9)


def test_a_check_tells_every_difference(stored: dict[tuple[str, Billing, Dispatch], Benchmark]) -> None:
    kept = list(stored.values())[:4]
    dearer, changed, bound = (
        replace(kept[0], best=kept[0].best * (1 + 1e-8)),
        replace(kept[1], digest="other"),
        replace(kept[2], bound=kept[2].bound * 0.99),
    )
    assert differences(kept, [replace(one, version="9") for one in kept]) == []
    assert len(differences(kept, [dearer, changed, bound])) == 4


def test_records_are_written_byte_for_byte_as_they_are_read(tmp_path: Path) -> None:
    for name in BENCHMARKED:
        shipped, again = benchmark_path(name), tmp_path / f"{name}.csv.gz"
        write_benchmarks(again, read_benchmarks(shipped))
        assert gzip.decompress(again.read_bytes()) == gzip.decompress(shipped.read_bytes())


def test_missing_records_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no benchmarks"):
        read_benchmarks(tmp_path / "none.csv.gz")


def test_an_open_case_has_no_optimum() -> None:
    known = Benchmark("one", Dispatch.FREE, Billing.WHOLE, 10.0, 10.0 - 5e-6, "exact", "0", "sha256:0")
    assert known.optimum == 10.0
    assert replace(known, bound=10.0 - 2e-5).optimum is None


def test_hard_instances_are_the_ones_recorded_and_go_by_their_names() -> None:
    records = read_benchmarks(benchmark_path(HARD))
    for one in records:
        instance = resolve(one.instance)
        assert (instance.name, instance.digest()) == (one.instance, one.digest)
        assert one.bound > 0
        assert one.heuristic_cost is None or one.heuristic_cost >= one.best * (1 - 1e-9)
    assert {one.case for one in records} == {
        (name, *case) for name in instance_names(HARD) for case in benchmark_cases(HARD)
    }
