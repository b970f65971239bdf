"""The studies of shared machines run, on a few workloads."""

from __future__ import annotations

import pytest

from studies.shared import kept, referee, savings


def test_savings(capsys: pytest.CaptureFixture[str]) -> None:
    savings.main(["--suite", "smoke", "--instances", "3"])
    output = capsys.readouterr().out
    assert "3 workloads, 3 proven" in output
    assert "packing: plans 3" in output


def test_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert kept.main(["--suite", "smoke", "--instances", "4", "--requests", "20000"]) == 0
    assert " 0 late" in capsys.readouterr().out


def test_the_referee_finds_nothing_late_and_can_find_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert referee.main(["--mixes", "15", "--seed", "3"]) == 0
    assert referee.main(["--mixes", "15", "--seed", "3", "--load", "1.02"]) == 1
    assert referee.main(["--mixes", "15", "--seed", "3", "--when-full"]) == 1
    assert ": 0 over" in capsys.readouterr().out.splitlines()[0]
