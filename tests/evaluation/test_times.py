"""The study of the exact method's time: its figures by hand, and a row per case."""

from __future__ import annotations

import pytest

from studies.times import Solved, main, row


def test_figures_by_hand() -> None:
    found = [Solved("a", True, 0.01, 0.02), Solved("b", False, 0.08, 0.02), Solved("c", True, 0.03, 0.03)]
    assert row(found) == ["2 of 3", "0.12 s", "0.03 s", "0.079 s", "0.08 s (b)", "1.26"]


def test_the_table_has_a_row_per_billing_and_policy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instances", "2", "--dispatch", "tc"]) == 0
    cells = [line.split(" | ")[:3] for line in capsys.readouterr().out.splitlines()[2:]]
    assert cells == [["| whole", "tc", "2 of 2"], ["| fractional", "tc", "2 of 2"]]
