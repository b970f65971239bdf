"""The theorem of docs/deploy.md on a batcher written apart from the simulator: one queue, n machines, full or c."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st


def longest_latency(times: list[Fraction], b: int, n: int, d: Fraction, c: Fraction, *, grows: bool) -> Fraction:
    """Largest latency of requests at ``times`` in batches of at most ``b`` on ``n`` machines.

    A batch closes when it is full, or ``c`` after its first request. With ``grows`` it stays open until a machine is
    free; without, closed batches wait for one: Triton does the one or the other, as it may form a batch ahead.
    """
    free = [Fraction(0)] * n
    first, longest = 0, Fraction(0)
    while first < len(times):
        machine = min(free)
        full = times[first + b - 1] if first + b <= len(times) else None
        closed = times[first] + c if full is None else min(full, times[first] + c)
        start = max(closed, machine)
        size = sum(1 for time in times[first : first + b] if time <= (start if grows else closed))
        free[free.index(machine)] = start + d
        longest = max(longest, start + d - times[first])
        first += size
    return longest


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Fraction], int, int, Fraction]:
    """Requests at least 1/W apart, W = n b / d: at full rate in stretches, with gaps just beyond the time-outs."""
    b, n = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    d = Fraction(draw(st.integers(1, 50)))
    step = d / (n * b)
    extra = st.sampled_from([0, 0, 0, 0, Fraction(1, 1000), b - 1, b, Fraction(b, 2), b + Fraction(1, 1000), 3 * b])
    times = [Fraction(0)]
    for more in draw(st.lists(extra, min_size=4, max_size=60)):
        times.append(times[-1] + step * (1 + more))
    return times, b, n, d


@given(streams(), st.booleans())
def test_the_bound_is_kept_whatever_the_gaps(case: tuple[list[Fraction], int, int, Fraction], grows: bool) -> None:
    times, b, n, d = case
    assert longest_latency(times, b, n, d, d / n, grows=grows) <= d + d / n


@given(st.integers(1, 5), st.integers(1, 30), st.integers(1, 50))
def test_a_replica_with_a_queue_of_its_own_keeps_two_durations(b: int, n: int, length: int) -> None:
    """Requests dealt in turn over n replicas reach each d/b apart, so the theorem holds with one machine."""
    d = Fraction(10)
    dealt = [Fraction(index) * d / (n * b) for index in range(length * n)][::n]
    assert longest_latency(dealt, b, 1, d, d, grows=False) <= 2 * d


def test_the_bound_is_reached() -> None:
    times = [Fraction(0), Fraction(100)]
    assert longest_latency(times, 4, 2, Fraction(10), Fraction(5), grows=False) == 15


@pytest.mark.parametrize("grows", [False, True])
def test_one_machine_fewer_is_late(grows: bool) -> None:
    times = [Fraction(index, 2) for index in range(200)]
    assert longest_latency(times, 4, 5, Fraction(10), Fraction(2), grows=grows) <= 12
    assert longest_latency(times, 4, 4, Fraction(10), Fraction(2), grows=grows) > 12


def test_a_shorter_wait_is_no_safer() -> None:
    """Batches of two, one machine of 1 s, requests 0.51 s apart: waiting 0.5 s for the second is too short."""
    times = [Fraction(51, 100) * index for index in range(100)]
    assert longest_latency(times, 2, 1, Fraction(1), Fraction(1), grows=False) <= 2
    assert longest_latency(times, 2, 1, Fraction(1), Fraction(1, 2), grows=False) > 20
