"""The master model of ``shared`` billing: every module picks a schedule of its own or stands in one mix.

With binary x_mk for schedule k of module m (cost, latency, machines of limited types), binary y_j for mix j (cost of
its machines and of those of dealt members' own, machines of limited types, latency H_mj of its members), latency L_m
and entry time s_m:

    minimise  sum of cost_mk x_mk + sum of cost_j y_j
    cover       sum over k of x_mk + sum over the mixes j with m of y_j = 1
    wait        sum over k of latency_mk x_mk + sum over the mixes j with m of H_mj y_j <= L_m
    precedence  s_m + L_m + transfer <= s_m'   for every edge (m, m')
    deadline    s_m + L_m <= SLO  at every sink
    limit       sum over m and k of usage_mkh x_mk + sum over the mixes j of usage_jh y_j <= limit_h
    excluded    sum over a choice of columns <= (their number) - 1, for choices that met a row only within its tolerance

For column generation a module may also go unserved, ``skip`` in ``cover``, at a penalty. Of plans of one cost the
quickest minimises the sum of length_p / SLO_p over the pipelines p, with

    length      s_m + L_m <= length_p  at every sink of p
    budget      sum of cost_mk x_mk + sum of cost_j y_j <= that cost
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import Row, exclusion_rows, path_rows, program_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.formulations.planning.pattern import Column
    from harpagon.formulations.shared import Mix


@dataclass(frozen=True, slots=True)
class MixColumn:
    """A mix with the latency of every member in seconds, in the order of its members."""

    mix: Mix
    latencies: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SharedData:
    """Columns of the master, modules of all pipelines in one list.

    Attributes
    ----------
    owned
        Per module its own schedules.
    mixes
        Mixes, each for one machine and those in spare.
    pipelines
        Per module the number of its pipeline.
    slo
        Per module the SLO of its pipeline in seconds.
    edges
        (tail, head) to transfer seconds.
    sinks
        Modules without successors.
    limits
        Machines of each limited hardware type.
    excluded
        Choices of columns, by name, that are cut off.
    """

    owned: tuple[tuple[Column, ...], ...]
    mixes: tuple[MixColumn, ...]
    pipelines: tuple[int, ...]
    slo: tuple[float, ...]
    edges: Mapping[tuple[int, int], float]
    sinks: tuple[int, ...]
    limits: Mapping[str, int]
    excluded: tuple[frozenset[str], ...] = ()


def shared_program(data: SharedData, penalty: float | None = None) -> LinearProgram:
    """The master as arrays: columns own[m,k], mix[j], with a ``penalty`` ($/h) skip[m], then latency[m], entry[m]."""
    skips = [(f"skip[{m}]", penalty, 1.0, True) for m in range(len(data.owned)) if penalty is not None]
    columns = [*_choices(data), *skips, *_times(data)]
    return program_of_rows(columns, list(_rows(data, _numbers(columns))))


def quickest_program(data: SharedData, cost: float) -> LinearProgram:
    """The quickest of the plans of at most ``cost`` $/h: columns own[m,k], mix[j], latency[m], entry[m], length[p]."""
    choices = _choices(data)
    slos = dict(zip(data.pipelines, data.slo, strict=True))
    lengths = [(f"length[{p}]", 1 / slo, slo, False) for p, slo in slos.items()]
    columns = [*((name, 0.0, upper, whole) for name, _, upper, whole in choices), *_times(data), *lengths]
    number = _numbers(columns)
    budget = Row("budget", -math.inf, cost, {i: paid for i, (_, paid, *_) in enumerate(choices)})
    return program_of_rows(columns, [*_rows(data, number), *_length_rows(data, number), budget])


def _length_rows(data: SharedData, number: Mapping[str, int]) -> Iterator[Row]:
    for m in data.sinks:
        ends = {number[f"entry[{m}]"]: 1.0, number[f"latency[{m}]"]: 1.0}
        yield Row(f"length[{m}]", -math.inf, 0.0, {**ends, number[f"length[{data.pipelines[m]}]"]: -1.0})


def _choices(data: SharedData) -> list[tuple[str, float, float, bool]]:
    owned = [(f"own[{m},{k}]", one.cost, 1.0, True) for m, own in enumerate(data.owned) for k, one in enumerate(own)]
    return owned + [(f"mix[{j}]", one.mix.cost, 1.0, True) for j, one in enumerate(data.mixes)]


def _times(data: SharedData) -> list[tuple[str, float, float, bool]]:
    modules = range(len(data.owned))
    return [(f"{word}[{m}]", 0.0, math.inf, False) for word in ("latency", "entry") for m in modules]


def _numbers(columns: Sequence[tuple[str, float, float, bool]]) -> dict[str, int]:
    return {name: i for i, (name, *_) in enumerate(columns)}


def _rows(data: SharedData, number: Mapping[str, int]) -> Iterator[Row]:
    modules = range(len(data.owned))
    entry, latencies = ([number[f"{word}[{m}]"] for m in modules] for word in ("entry", "latency"))
    yield from _module_rows(data, number)
    yield from path_rows(data, entry, [{column: 1.0} for column in latencies])
    yield from _limit_rows(data, number)


def _module_rows(data: SharedData, number: Mapping[str, int]) -> Iterator[Row]:
    for m, schedules in enumerate(data.owned):
        waits = {number[f"own[{m},{k}]"]: one.latency for k, one in enumerate(schedules)}
        for j, one in enumerate(data.mixes):
            if m in one.mix.members:
                waits[number[f"mix[{j}]"]] = one.latencies[one.mix.members.index(m)]
        cover = dict.fromkeys(waits, 1.0)
        if f"skip[{m}]" in number:
            cover[number[f"skip[{m}]"]] = 1.0
        yield Row(f"cover[{m}]", 1.0, 1.0, cover)
        yield Row(f"wait[{m}]", -math.inf, 0.0, {**waits, number[f"latency[{m}]"]: -1.0})


def _limit_rows(data: SharedData, number: Mapping[str, int]) -> Iterator[Row]:
    for h, (hardware, machines) in enumerate(data.limits.items()):
        usage = {
            number[f"own[{m},{k}]"]: one.usage[h]
            for m, schedules in enumerate(data.owned)
            for k, one in enumerate(schedules)
            if one.usage[h]
        }
        for j, one in enumerate(data.mixes):
            if used := one.mix.usage()[hardware]:
                usage[number[f"mix[{j}]"]] = used
        if usage:
            yield Row(f"limit[{hardware}]", -math.inf, machines, usage)
    yield from exclusion_rows([number[name] for name in choice] for choice in data.excluded)
