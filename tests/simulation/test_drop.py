"""Which waiting requests each drop rule keeps, by hand: those with just enough slack, and those that find a place."""

from __future__ import annotations

import pytest

from harpagon.simulation.flow.drop import Drop, DropHopeless, DropRule

DURATIONS = (0.0, 0.125, 0.1875, 0.25)
MANY = (-0.125, 0.0625, 0.1875, 0.25, 0.75)
FEW = (0.125, 0.375)


@pytest.mark.parametrize(
    ("rule", "slacks", "ahead", "kept", "dropped"),
    [
        (Drop.NONE, MANY, 0.5, [0, 1, 2], []),
        (Drop.NONE, FEW, 0.5, [0, 1], []),
        (Drop.LATE, MANY, 0.5, [1, 2, 3], [0]),
        (Drop.LATE, (0.0, *FEW), 0.5, [0, 1, 2], []),
        (Drop.EARLY, MANY, 0.5, [3, 4], [0, 1, 2]),
        (Drop.EARLY, FEW, 0.5, [1], [0]),
        (Drop.PROACTIVE, MANY, 0.5, [4], [0, 1, 2, 3]),
        (Drop.PROACTIVE, FEW, 0.1875, [1], [0]),
        (Drop.ADAPTIVE, MANY, 0.0, [3, 4], [0, 1, 2]),
        (Drop.ADAPTIVE, FEW, 0.0, [1], [0]),
        (Drop.ADAPTIVE, (0.375, 0.3125), 0.125, [0, 1], []),
        (Drop.ADAPTIVE, (0.375, 0.25), 0.125, [0], [1]),
        (Drop.ADAPTIVE, FEW, 0.25, [1], [0]),
        (Drop.ADAPTIVE, FEW, 0.5, [], [0, 1]),
        (Drop.ADAPTIVE, (*FEW[:1] * 3, 0.5, 0.5, 0.5), 0.125, [3, 4, 5], [0, 1, 2]),
        (DropHopeless(), MANY, 0.5, [2, 3, 4], [0, 1]),
        (DropHopeless(), FEW, 0.5, [0, 1], []),
    ],
)
def test_rules_keep_what_makes_it(
    rule: DropRule, slacks: tuple[float, ...], ahead: float, kept: list[int], dropped: list[int]
) -> None:
    assert rule.choose(slacks, DURATIONS, ahead) == (kept, dropped)


def test_the_hopeless_are_dropped_however_many_wait() -> None:
    assert all(rule.batches == 2 for rule in Drop)
    assert DropHopeless().batches > 10**6


@pytest.mark.parametrize("rule", [*Drop, DropHopeless()])
def test_no_rule_keeps_more_than_a_batch_holds(rule: DropRule) -> None:
    assert rule.choose((0.25,) * 5, DURATIONS, 0.0) == ([0, 1, 2], [])
