"""Public traces as they are published, good and bad; windows of them for SLOpt."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from harpagon.instances.errors import InputError
from harpagon.simulation.arrivals.processes import CountArrivals
from harpagon.simulation.arrivals.traces import read_trace
from harpagon.simulation.slopt.workload import DAYS, read_window, read_workload

if TYPE_CHECKING:
    from pathlib import Path

_OWNERS = "HashOwner,HashApp,HashFunction,Trigger"
_FUNCTIONS_2019 = f"{_OWNERS},1,2\no,a,f,http,61,0\no,a,g,timer,2,120\n"
_FUNCTIONS_2021 = "app,func,end_timestamp,duration\na,f,3.5,0.25\na,g,1.0,2.0\nb,f,3.9,2.5\n"
_LLM = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,48,10\n2023-11-16 18:17:05,1,1\n"
    "2023-11-16 18:17:03.1,1,1\n"
)
_WIKIPEDIA = "1 1190146243.326 http://en.wikipedia.org/wiki/A -\n2 1190146245.001 http://de.wikipedia.org/ save\n"


def written(folder: Path, text: str) -> str:
    path = folder / "published"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "name", "counts"),
    [
        ("52 55 0\n48", "twitter counts", [52, 55, 0, 48]),
        (_FUNCTIONS_2019, "azure functions 2019", [1] * 19 + [2] + [1] * 19 + [2] + [1] * 19 + [2] + [2] * 60),
        (_FUNCTIONS_2021, "azure functions 2021", [0, 1, 0, 1]),
        (_LLM, "azure llm", [2, 0, 1]),
        (_WIKIPEDIA, "wikipedia", [1, 0, 1]),
    ],
)
def test_a_published_file_is_told_by_its_first_line_and_named_with_its_digest(
    tmp_path: Path, text: str, name: str, counts: list[int]
) -> None:
    trace = read_trace(written(tmp_path, text))
    assert isinstance(trace, CountArrivals)
    assert str(trace) == f"published ({name}, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]})"
    assert trace.counts.tolist() == counts


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("5 6\n7 x\n", "line 2", '"x" is no count'),
        ("5 6\n-7\n", "line 2", '"-7" is no count'),
        ("5 99999999999999999999\n", "line 1", "is no count"),
        ("0 0\n", "", "holds no request, read as twitter counts"),
        (f"{_OWNERS},1,2\no,a,f,http,1\n", "line 2", "5 cells under a header of 6"),
        (f"{_OWNERS},1,2\no,a,f,http,1,-2\n", "line 2", '"-2" is no count'),
        (f"{_OWNERS},1,2\n", "", "holds no request"),
        (f"{_OWNERS},Average,Count\no,a,f,1,2\n", "line 1", "known header"),
        ("app,func,end_timestamp,duration\na,f,soon,1\n", "line 2", '"soon" is no time'),
        ("app,func,end_timestamp,duration\na,f,1e300,1\n", "", "more than 10000000"),
        ("app,func,end_timestamp,duration\na,f,1,5\n", "", "holds no request"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,1\n", "line 2", "no date and time"),
        (_WIKIPEDIA + "3 soon http://x -\n", "line 3", "is no request"),
        (_WIKIPEDIA + "3 9990146243.0 http://x -\n", "", "more than 10000000"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, text: str, place: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        read_trace(written(tmp_path, text))
    message = str(caught.value)
    assert "published" in message
    assert place in message
    assert problem in message


def test_a_window_is_scaled_and_knows_what_came_before_it(tmp_path: Path) -> None:
    path = written(tmp_path, " ".join(str(k) for k in range(100)))
    part, (past,) = read_window(path, 90, 3, 0.5)
    assert part.rates.tolist() == [45, 46, 46]
    assert past.rates.tolist() == [round(k / 2) for k in range(90 - 3 * DAYS, 90)]
    assert part.recorded
    assert past.recorded
    assert read_window(path, 0, 10)[1] == ()
    with pytest.raises(InputError, match="covers 100 s, less than the 101 s"):
        read_window(path, 98, 3)
    with pytest.raises(InputError, match="Give a shorter trace or window"):
        read_workload(path, 1e6)
