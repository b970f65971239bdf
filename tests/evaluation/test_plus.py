"""The study of harpagon+: its figures by hand, and a row per billing."""

from __future__ import annotations

import pytest

from harpagon.instances.policies import APART
from studies.plus import Comparison, main, row


def test_figures_by_hand() -> None:
    found = [Comparison(0.0, 0.01, 0.02), Comparison(5e-4, 0.04, 0.02), Comparison(0.01, 0.02, 0.02)]
    shares = ["33.33 %", "66.67 %", "0.3500 % (1.00 %)"]
    assert row(found) == [*shares, "20.0, 39.6 ms", "20.0, 20.0 ms", "1.00", "1.98", "1.00"]


def test_the_table_has_a_row_per_billing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instances", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["3 of 3"] * len(APART)
