"""Mutated files and flags never end in a traceback; ``python -m studies.fuzz`` runs as many as one likes."""

from __future__ import annotations

import pytest

from studies.fuzz import fuzz, main


@pytest.mark.parametrize("seed", [0, 1009, 2017])
def test_mutations_end_in_codes_of_the_contract(seed: int) -> None:
    codes, failures = fuzz(40, seed)
    assert failures == []
    assert len({command for command, _ in codes}) >= 6


def test_a_defect_is_reported_with_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: list[str]) -> int:
        raise KeyError("lost")

    monkeypatch.setattr("studies.fuzz.harpagon", broken)
    assert main(["--runs", "2", "--seed", "7"]) == 1
    assert "--seed 7: KeyError: 'lost'" in capsys.readouterr().out
