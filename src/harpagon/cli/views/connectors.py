"""Lines between two rows of boxes, drawn with box characters."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_GLYPHS = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
"""Indexed by the sum of the directions in which a cell is joined."""


_SIDESTEP = 2


def exit_columns(
    segments: Sequence[tuple[int, int]], centres: Sequence[int], heads: Sequence[int], fixed: set[int]
) -> list[int]:
    """Column where the line of each box above leaves it.

    Where several tracks meet and not all are straight, lines leave beside the centre and arrive at it, so that a
    line that ends in a box is told apart from one that leaves the box above it.

    Parameters
    ----------
    segments, heads
        As in `connector_rows`.
    centres
        Centre of each box above.
    fixed
        Places above whose line must stay at the centre: passages of longer edges.
    """
    tracks = _tracks(segments)
    crowded = len(tracks) > 1 and any(_is_bent(track, centres, heads) for track in tracks)
    return [centre + _SIDESTEP if crowded and place not in fixed else centre for place, centre in enumerate(centres)]


def connector_rows(
    segments: Sequence[tuple[int, int]],
    tails: Sequence[int],
    heads: Sequence[int],
    arrows: Sequence[int],
    width: int,
) -> list[str]:
    """Text rows that join boxes above to boxes below.

    Segments that share an end share a horizontal track; every track has a row of its own.

    Parameters
    ----------
    segments
        Pairs (box above, box below).
    tails, heads
        Column where each box above, and each box below, is joined.
    arrows
        Columns that end in an arrow head.
    width
        Columns of the drawing.
    """
    tracks = [track for track in _tracks(segments) if _is_bent(track, tails, heads)]
    straight = [track for track in _tracks(segments) if not _is_bent(track, tails, heads)]
    cells: defaultdict[tuple[int, int], int] = defaultdict(int)
    height = len(tracks) + 1
    for track in straight:
        _vertical(cells, tails[track[0][0]], -1, height)
    for row, track in enumerate(tracks):
        _draw_track(cells, row, height, {tails[i] for i, _ in track}, {heads[j] for _, j in track})
    rows = [[_GLYPHS[cells[row, column]] for column in range(width)] for row in range(height)]
    for column in arrows:
        rows[-1][column] = "▼"
    return ["".join(row).rstrip() for row in rows]


def _tracks(segments: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Segments grouped by the side with fewer boxes, so that a fork or a join is one track."""
    side = 0 if len({i for i, _ in segments}) <= len({j for _, j in segments}) else 1
    groups: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for segment in segments:
        groups[segment[side]].append(segment)
    return list(groups.values())


def _is_bent(track: list[tuple[int, int]], tails: Sequence[int], heads: Sequence[int]) -> bool:
    return len(track) > 1 or tails[track[0][0]] != heads[track[0][1]]


def _draw_track(
    cells: defaultdict[tuple[int, int], int], row: int, height: int, above: set[int], below: set[int]
) -> None:
    for column in above:
        _vertical(cells, column, -1, row)
    for column in below:
        _vertical(cells, column, row, height)
    left, right = min(above | below), max(above | below)
    for column in range(left, right):
        cells[row, column] |= _RIGHT
        cells[row, column + 1] |= _LEFT


def _vertical(cells: defaultdict[tuple[int, int], int], column: int, top: int, bottom: int) -> None:
    """Join the rows from ``top`` to ``bottom``; rows outside the band belong to the boxes."""
    for row in range(top, bottom):
        cells[row, column] |= _DOWN
        cells[row + 1, column] |= _UP
