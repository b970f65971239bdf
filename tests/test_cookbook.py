"""The cookbook: its instances are those of its pages, and its answers those of counting machines by hand."""

from __future__ import annotations

import re
from itertools import product
from math import inf
from pathlib import Path

import pytest

from harpagon.instances.files.instances import read_instance
from harpagon.solvers.methods import solve

BOOK = Path(__file__).parent.parent / "docs" / "cookbook"
PAGES = sorted(BOOK.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_instances_of_a_page_are_shipped(page: Path) -> None:
    text = page.read_text()
    shown = [block for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S) if block.startswith("format:")]
    named = {BOOK / name for name in re.findall(r"docs/cookbook/(\S+\.yaml)", text)}
    assert set(shown) <= {file.read_text() for file in named}
    assert "harpagon plan" in text and "harpagon deploy" in text


def cheapest_mix(rate: float, kinds: list[tuple[float, float, float]]) -> float:
    """Least $/hour of whole machines that carry ``rate`` in sum, of kinds (price, req/s, limit), by counting."""
    counts = [range(int(min(limit, rate // carried + 1)) + 1) for _, carried, limit in kinds]
    return min(
        sum(price * n for n, (price, _, _) in zip(mix, kinds, strict=True))
        for mix in product(*counts)
        if sum(carried * n for n, (_, carried, _) in zip(mix, kinds, strict=True)) >= rate
    )


MIXES = {
    "minimal-gpus": (31, [(1, 4, inf)], 8),
    "variants-100": (100, [(10, 200, inf), (6, 100, inf)], 6),
    "variants": (300, [(10, 200, inf), (6, 100, inf)], 16),
    "a10-l20-unlimited": (95, [(1, 10, inf), (2.2, 28, inf)], 8.4),
    "a10-l20": (95, [(1, 10, inf), (2.2, 28, 1)], 9.2),
}


@pytest.mark.parametrize("name", MIXES)
def test_a_mix_is_the_cheapest_and_proven(name: str) -> None:
    rate, kinds, cost = MIXES[name]
    result = solve(read_instance(BOOK / f"{name}.yaml"), "exact")
    assert result.plan is not None
    assert result.plan.cost == pytest.approx(cost)
    assert result.dual_bound == pytest.approx(cost)
    assert cheapest_mix(rate, kinds) == pytest.approx(cost)
