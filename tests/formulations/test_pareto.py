"""What no other beats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.pareto import pareto_front

_FIGURES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(_FIGURES)
def test_every_item_is_equalled_or_beaten_by_one_that_is_kept(items: list[tuple[int, int]]) -> None:
    front = pareto_front(items, lambda item: item)
    assert all(any(a <= c and b <= d for a, b in front) for c, d in items)
    assert [a for a, _ in front] == sorted({a for a, _ in front})
    assert [b for _, b in front] == sorted({b for _, b in front}, reverse=True)


def test_of_equal_items_the_first_is_kept() -> None:
    assert pareto_front([(1, 2, "first"), (1, 2, "second")], lambda item: item[:2]) == [(1, 2, "first")]
