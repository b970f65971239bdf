"""The master model of ``shared`` billing: every module picks a schedule of its own or stands in one mix.

With binary x_mk for schedule k of module m (cost, latency, machines of limited types), binary y_j for mix j (the price
of one machine, latency H_mj of its members), latency L_m and entry time s_m:

    minimise  sum of cost_mk x_mk + sum of price_j y_j
    cover       sum over k of x_mk + sum over the mixes j with m of y_j = 1
    wait        sum over k of latency_mk x_mk + sum over the mixes j with m of H_mj y_j <= L_m
    precedence  s_m + L_m + transfer <= s_m'   for every edge (m, m')
    deadline    s_m + L_m <= SLO  at every sink
    limit       sum over m and k of usage_mkh x_mk + sum over the mixes j of type h of y_j <= limit_h
    excluded    sum over a choice of columns <= (their number) - 1, for choices that met a row only within its tolerance

For column generation a module may also go unserved, ``skip`` in ``cover``, at a penalty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import Row, exclusion_rows, path_rows, program_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        Mixes, each for one machine.
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
    slo: tuple[float, ...]
    edges: Mapping[tuple[int, int], float]
    sinks: tuple[int, ...]
    limits: Mapping[str, int]
    excluded: tuple[frozenset[str], ...] = ()


def shared_program(data: SharedData, penalty: float | None = None) -> LinearProgram:
    """The master as arrays: columns own[m,k], mix[j], with a ``penalty`` ($/h) skip[m], then latency[m], entry[m]."""
    modules = range(len(data.owned))
    columns = [(f"own[{m},{k}]", one.cost, 1.0, True) for m in modules for k, one in enumerate(data.owned[m])]
    columns += [(f"mix[{j}]", one.mix.price, 1.0, True) for j, one in enumerate(data.mixes)]
    columns += [(f"skip[{m}]", penalty, 1.0, True) for m in modules if penalty is not None]
    columns += [(f"{word}[{m}]", 0.0, math.inf, False) for word in ("latency", "entry") for m in modules]
    number = {name: i for i, (name, *_) in enumerate(columns)}
    entry, latencies = ([number[f"{word}[{m}]"] for m in modules] for word in ("entry", "latency"))
    paths = path_rows(data, entry, [{column: 1.0} for column in latencies])
    return program_of_rows(columns, [*_module_rows(data, number), *paths, *_limit_rows(data, number)])


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
        usage |= {number[f"mix[{j}]"]: 1.0 for j, one in enumerate(data.mixes) if one.mix.hardware == hardware}
        if usage:
            yield Row(f"limit[{hardware}]", -math.inf, machines, usage)
    yield from exclusion_rows([number[name] for name in choice] for choice in data.excluded)
