"""What no other beats in two figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_Item = TypeVar("_Item")


def pareto_front(items: Iterable[_Item], figures: Callable[[_Item], tuple[float, float]]) -> list[_Item]:
    """Items that no other one equals or beats in both figures, smaller is better; of equal ones the first.

    Returns
    -------
    list
        The first figure ascending, the second descending.
    """
    front: list[_Item] = []
    least = None
    for item in sorted(items, key=figures):
        second = figures(item)[1]
        if least is None or second < least:
            front.append(item)
            least = second
    return front
