"""Losses of Harpagon's parts: they add up, none is negative, and the study's table has a row per case."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from heuristic_cases import random_instances

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.instances.library.suites import suite
from harpagon.instances.policies import APART, Billing
from studies.losses import SPLITTERS, Losses, known_optima, losses, main, row


def test_no_part_loses_less_than_nothing() -> None:
    parts = [0.0, 0.0, 0.0]
    for instance, billing in product(random_instances(30), APART):
        found = losses(instance, billing)
        assert found is not None and list(found) == list(SPLITTERS)
        for one in found.values():
            costs = (one.split, one.reassigned, one.best_split, one.optimum)
            for position in range(3):
                assert costs[position] >= costs[position + 1] * (1 - COST_TOLERANCE)
                parts[position] += costs[position] / costs[position + 1] - 1
    assert parts[1] > 0
    assert parts[2] > 0


def test_shares_and_means_by_hand() -> None:
    found = [Losses(1.2, 1.1, 1.1, 1.0), Losses(1.0, 1.0, 1.0, 1.0), Losses(2.0, 2.0, 1.5, 1.0), Losses(1, 1, 1, 1)]
    assert row(found) == ["50.0 %", "75.0 %", "50.0 %", "2.50 % (10.0 %)", "12.50 % (50.0 %)", "15.00 % (50.0 %)"]


def test_a_known_optimum_is_taken_and_the_library_has_it() -> None:
    (instance,) = suite("smoke")[:1]
    proven = losses(instance, Billing.WHOLE)
    known = known_optima("smoke")[instance.name, instance.digest(), Billing.WHOLE]
    assert proven is not None and proven[SPLITTERS[0]].optimum == pytest.approx(known)
    assert losses(instance, Billing.WHOLE, 1.0) == {k: replace(one, optimum=1.0) for k, one in proven.items()}


def test_the_table_has_a_row_per_billing_and_splitter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instances", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(APART) * len(SPLITTERS)
    assert all("3 of 3" in line for line in lines[2:])
