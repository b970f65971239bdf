"""Fixed fan-out: counts are those of the fraction, rounded up, however the requests are cut into pieces."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from harpagon.simulation.flow.fanout import FixedFanout

fractions = st.fractions(Fraction(1, 50), 8, max_denominator=50)


@given(fractions, st.lists(st.integers(0, 20), min_size=1, max_size=8))
def test_the_first_k_requests_send_the_fraction_of_k_rounded_up(fraction: Fraction, pieces: list[int]) -> None:
    fanout = FixedFanout(fraction)
    sent = [int(number) for piece in pieces for number in fanout(piece)]
    assert list(accumulate(sent)) == [math.ceil(k * fraction) for k in range(1, sum(pieces) + 1)]
