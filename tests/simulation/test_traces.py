"""Trace files, good and bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from harpagon.instances.errors import InputError
from harpagon.simulation.arrivals.named import parse_arrivals
from harpagon.simulation.arrivals.processes import (
    Arrivals,
    CountArrivals,
    GammaArrivals,
    TraceArrivals,
    recorded_duration,
)
from harpagon.simulation.arrivals.traces import read_trace

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> str:
    path = folder / "trace.csv"
    path.write_text(text)
    return str(path)


def times(arrivals: Arrivals, duration: float) -> list[float]:
    return np.concatenate(list(arrivals.times(1.0, duration, np.random.default_rng(0)))).tolist()


@pytest.mark.parametrize("text", ["time_s\n0\n0.5\n0.5\n2\n", "# recorded\n0\n\n0.5\n5e-1\n2"])
def test_timestamps(tmp_path: Path, text: str) -> None:
    trace = read_trace(written(tmp_path, text))
    assert isinstance(trace, TraceArrivals)
    assert times(trace, 10.0) == [0.0, 0.5, 0.5, 2.0]
    assert times(trace, 2.0) == [0.0, 0.5, 0.5]
    duration = recorded_duration(trace)
    assert duration is not None
    assert times(trace, duration) == [0.0, 0.5, 0.5, 2.0]


@pytest.mark.parametrize(
    "text", ["requests\n2\n0\n1\n", "second,requests\n0,2\n2,1\n", "requests,note\n2,a\n0,b\n1,c\n"]
)
def test_counts(tmp_path: Path, text: str) -> None:
    trace = read_trace(written(tmp_path, text))
    assert isinstance(trace, CountArrivals)
    assert times(trace, 10.0) == [0.0, 0.5, 2.0]
    assert recorded_duration(trace) == 3.0


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "", "is empty"),
        (" \n", "", "is empty"),
        ("time_s\n", "", "no data"),
        ("3\n2\n", "line 2", "2 after 3"),
        ("1\n-1\n", "line 2", "negative"),
        ("1\nnan\n", "line 2", "not a finite number"),
        ("1\ninf\n", "line 2", "not a finite number"),
        ("1\nsoon\n", "line 2", "not a finite number"),
        ("1,2\n", "line 1", "known header"),
        ("time\n1\n", "line 1", "known header"),
        ("1700000000\n", "line 1", "more than"),
        ("requests\n0\n", "", "no request"),
        ("requests\n1.5\n", "line 2", "1.5"),
        ("requests\n-1\n", "line 2", "-1"),
        ("requests\n1e30\n", "line 2", "1e+30"),
        ("second,requests\n1,1\n1,1\n", "line 3", "second is 1"),
        ("second,requests\n1\n", "line 2", "cells"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, text: str, place: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        read_trace(written(tmp_path, text))
    assert caught.value.file.endswith("trace.csv")
    assert caught.value.place == place
    assert problem in caught.value.problem


def test_lines_of_text_are_refused_at_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    monkeypatch.setattr("harpagon.simulation.arrivals.traces._number", parsed.append)
    with pytest.raises(InputError, match="line 1"):
        read_trace(written(tmp_path, "hello world\n" * 1_000))
    assert len(parsed) == 1


@pytest.mark.parametrize("text", ["gamma:", "gamma:nan", "gamma:-1", "gamma:1e9", "burst", "/nowhere/trace.csv"])
def test_bad_flags(text: str) -> None:
    with pytest.raises(InputError):
        parse_arrivals(text)


def test_flags_name_what_they_made() -> None:
    assert [str(parse_arrivals(text)) for text in ("even", "poisson", "gamma:2")] == ["even", "poisson", "gamma:2"]


@pytest.mark.parametrize("variation", [0.5, 1.0, 3.0])
def test_gamma_gaps_have_their_mean_and_variation(variation: float) -> None:
    pieces = list(GammaArrivals(variation).times(50.0, 10_000.0, np.random.default_rng(0)))
    gaps = np.diff(np.concatenate(pieces))
    assert gaps.size > 400_000
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(variation, rel=0.03)
    assert (gaps >= 0).all()
