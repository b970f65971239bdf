"""Losses of Harpagon's parts: they add up, none is negative, and the study's table has a row per case."""

from __future__ import annotations

import pytest
from heuristic_cases import random_instances

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.heuristics.harpagon.plan import Splitter
from harpagon.instances.policies import APART
from studies.losses import SPLITTERS, Losses, losses, main, row


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_no_part_loses_less_than_nothing(splitter: Splitter) -> None:
    parts = [0.0, 0.0, 0.0]
    for instance in random_instances(30):
        for billing in APART:
            found = losses(instance, billing, splitter)
            assert found is not None
            costs = (found.split, found.reassigned, found.best_split, found.optimum)
            for position in range(3):
                assert costs[position] >= costs[position + 1] * (1 - COST_TOLERANCE)
                parts[position] += costs[position] / costs[position + 1] - 1
    assert parts[1] > 0
    assert parts[2] > 0


def test_shares_and_means_by_hand() -> None:
    found = [Losses(1.2, 1.1, 1.1, 1.0), Losses(1.0, 1.0, 1.0, 1.0), Losses(2.0, 2.0, 1.5, 1.0), Losses(1, 1, 1, 1)]
    assert row(found) == ["50.0 %", "75.0 %", "50.0 %", "2.50 % (10.0 %)", "12.50 % (50.0 %)", "15.00 % (50.0 %)"]


def test_the_table_has_a_row_per_billing_and_splitter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instances", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(APART) * len(SPLITTERS)
    assert all("3 of 3" in line for line in lines[2:])
