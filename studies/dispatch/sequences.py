"""What plans in turns (docs/dispatch.md, Theorem 8) and a slotted root could save: bounds, and plans that are found.

    python -m studies.dispatch.sequences --suite paper --instances 113

A machine of configuration i collects for at most the share v_i / d_i of the time, v_i being how far apart batches open
that are collected within a latency H. So schedules whose shares reach 1 bound all sequences from below. Of these a few
rules look for a sequence that keeps every machine's distance; those it finds are plans. Whole billing.

Three kinds of v_i: "turns", what Theorem 8 proves; "fluid", the mean for as many requests as a batch holds; "slotted",
of roots on multiples of 1 / R, which costs 1 / R once, and from which single tuples in step gain too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from harpagon.formulations.bounds import smallest_latency
from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.problem import pipeline_problems
from harpagon.graphs import decompose
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.composition import cheapest_composition
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.exact.schedule import Point
from harpagon.solvers.exact.selection import cheapest_selection
from harpagon.solvers.methods import solve
from harpagon.solvers.options import DEFAULT_OPTIONS
from studies.suites import chosen_workloads, suite_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harpagon.formulations.paced import Stream
    from harpagon.formulations.problem import ModuleProblem, PipelineProblem
    from harpagon.instances.instance import Configuration

Counts: TypeAlias = "dict[Configuration, int]"
_TURNS = 4_000
"""Turns after which a sequence that has met no busy machine counts as found."""
_BISECTIONS = 24
_CLEAR = 1e-9


def proven_gap(configuration: Configuration, stream: Stream, room: float) -> float:
    """Seconds that batches collected for ``room`` open apart at the least, by Theorem 8; 0 where it does not hold."""
    most, apart = _most_roots(configuration, stream), 1
    while stream.wave.most(1) == 1 and stream.wave.most(apart + 1) == 1:
        apart += 1
    return min(max(room, apart / stream.rate), most / stream.rate)


def slotted_gap(configuration: Configuration, stream: Stream, room: float) -> float:
    """The same of roots that enter on multiples of 1 / R."""
    return min(math.floor(room * stream.rate + _CLEAR) + 1, _most_roots(configuration, stream)) / stream.rate


def fluid_gap(configuration: Configuration, stream: Stream, room: float) -> float:
    """Most seconds, in the mean, for which a batch that is collected for ``room`` takes all requests."""
    rate = float(stream.wave.rate) * stream.rate
    return min(max(room, 1 / rate, 1 / stream.rate), configuration.batch / rate)


def _most_roots(configuration: Configuration, stream: Stream) -> int:
    """Roots in a row whose requests fit into one batch, whatever came before."""
    roots = 0
    while stream.wave.most(roots + 1) <= configuration.batch:
        roots += 1
    return roots


@dataclass(frozen=True, slots=True)
class Kind:
    """How batches are collected.

    Attributes
    ----------
    gap
        Seconds that batches of a configuration open apart where they are collected for so long.
    single
        Whether single tuples are looked at, beside what the exact method knows of them.
    delay
        Intervals 1 / R that it costs once.
    found
        Whether a sequence is looked for; otherwise shares that reach 1 are enough, which bounds from below.
    """

    gap: Callable[[Configuration, Stream, float], float]
    single: bool = False
    delay: int = 0
    found: bool = False


BOUNDS = {
    "turns": Kind(proven_gap),
    "fluid": Kind(fluid_gap),
    "slotted": Kind(slotted_gap, single=True, delay=1),
}
PLANS = {name: replace(BOUNDS[name], found=True) for name in ("turns", "slotted")}


def turn_points(module: ModuleProblem, latest: float, cap: float, kind: Kind) -> Iterator[Point]:
    """Least cost in turns against latency, cost ascending; latencies are rounded in favour of what is shown."""
    batched = [configuration for configuration in module.configurations if not configuration.is_capacity]
    least = min((configuration.duration for configuration in batched), default=math.inf)

    def cheapest(latency: float) -> float:
        gaps = _gaps(module, batched, latency, kind)
        for cost, machines in _covers(gaps, cap, kind.single):
            if not kind.found or _has_sequence(gaps, machines):
                return cost
        return math.inf

    while latest >= least and (cost := cheapest(latest)) < math.inf:
        low, high = least * (1 - _CLEAR), latest
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if cheapest(middle) <= cost * (1 + COST_TOLERANCE) else (middle, high)
        yield Point(high if kind.found else low, cost, ())
        latest = low


def _gaps(
    module: ModuleProblem, batched: Sequence[Configuration], latency: float, kind: Kind
) -> dict[Configuration, float]:
    """Gap of every configuration that is quick enough."""
    assert module.stream is not None, "compiled from a pipeline"
    gaps = {c: kind.gap(c, module.stream, latency - c.duration) for c in batched if c.duration <= latency}
    return {configuration: gap for configuration, gap in gaps.items() if gap > 0}


def _covers(gaps: Mapping[Configuration, float], cap: float, single: bool) -> list[tuple[float, Counts]]:
    """Numbers of machines whose shares reach 1 within ``cap``, cheapest first.

    Of a hardware type the configuration of the largest share does, with one machine of another where it stands alone.
    """
    by_type: dict[str, list[tuple[float, Configuration]]] = {}
    for configuration, gap in gaps.items():
        by_type.setdefault(configuration.hardware, []).append((gap / configuration.duration, configuration))
    types = [sorted(own, key=lambda pair: -pair[0]) for own in by_type.values()]
    found: list[Counts] = []
    for counts in _fillings([(own[0][0], own[0][1].price) for own in types], cap):
        machines = {own[0][1]: n for own, n in zip(types, counts, strict=True) if n}
        if single or len(machines) > 1:
            found.append(machines)
    for own in types:
        for share, other in own[1:]:
            best, more = own[0][1], max(0, math.ceil((1 - share) / own[0][0] - _CLEAR))
            if more and (more + 1) * best.price <= cap:
                found.append({best: more, other: 1})
    priced = [(sum(n * c.price for c, n in machines.items()), machines) for machines in found]
    return sorted(priced, key=lambda pair: pair[0])


def _fillings(best: Sequence[tuple[float, float]], cap: float, left: float = 1.0) -> Iterator[tuple[int, ...]]:
    """Numbers of machines, of pairs (share, price), that reach ``left`` within ``cap``, none of the last to spare."""
    if not best:
        return
    (share, price), most = best[0], cap * (1 + COST_TOLERANCE)
    enough = max(0, math.ceil(left / share - _CLEAR))
    for n in range(enough if len(best) == 1 else 0, enough + 1):
        if n * price > most:
            return
        if len(best) == 1:
            yield (n,)
        else:
            yield from ((n, *rest) for rest in _fillings(best[1:], cap - n * price, left - n * share))


def _has_sequence(gaps: Mapping[Configuration, float], machines: Counts) -> bool:
    """Whether one of a few rules finds a sequence in which no machine's turn comes before it is done."""
    rules: tuple[Callable[[Configuration, float], tuple[float, ...]], ...] = (
        lambda _, since: (since,),
        lambda configuration, since: (-configuration.duration, since),
        lambda configuration, since: (configuration.duration, since),
        lambda configuration, since: (-gaps[configuration], since),
    )
    return any(_keeps_up(gaps, machines, rule) for rule in rules)


def _keeps_up(
    gaps: Mapping[Configuration, float], machines: Counts, rule: Callable[[Configuration, float], tuple[float, ...]]
) -> bool:
    queues, now = {configuration: [0.0] * n for configuration, n in machines.items()}, 0.0
    for _ in range(_TURNS):
        ready = [configuration for configuration, queue in queues.items() if queue[0] <= now + 1e-12]
        if not ready:
            return False
        chosen = min(ready, key=lambda configuration: rule(configuration, queues[configuration][0]))
        queues[chosen] = [*queues[chosen][1:], now + chosen.duration]
        now += gaps[chosen]
    return True


def least_cost(problem: PipelineProblem, optimum: float, kind: Kind) -> float:
    """Least cost of a pipeline whose modules may take turns too: ``optimum``, in $/h, where that is no less."""
    stream = problem.modules[0].stream
    assert stream is not None, "compiled from a pipeline"
    slo = problem.slo + TIME_TOLERANCE / 2 - kind.delay / stream.rate
    shortest = [
        min(smallest_latency(m, Dispatch.PACED), *(c.duration for c in m.configurations)) for m in problem.modules
    ]
    lengths = problem.network.path_lengths(shortest)
    latest = [least + slo - length for least, length in zip(shortest, lengths, strict=True)]
    if max(lengths) > slo:
        return optimum
    floors = []
    for module, budget in zip(problem.modules, latest, strict=True):
        firsts = (next(points, None) for points in _points(module, budget, optimum, kind))
        floors.append(min((point.cost for point in firsts if point is not None), default=math.inf))
    excess = optimum - sum(floors)
    if excess <= COST_TOLERANCE * optimum:
        return optimum
    fronts = []
    for module, budget, floor in zip(problem.modules, latest, floors, strict=True):
        points = [point for found in _points(module, budget, floor + excess, kind) for point in found]
        fronts.append(pareto_front(points, attrgetter("cost", "latency")))
    return min(optimum, _composed(problem, fronts, slo, excess))


def _points(module: ModuleProblem, budget: float, cap: float, kind: Kind) -> tuple[Iterator[Point], Iterator[Point]]:
    return frontier(module, budget, Billing.WHOLE, Dispatch.PACED, cap), turn_points(module, budget, cap, kind)


def _composed(problem: PipelineProblem, fronts: Sequence[Sequence[Point]], slo: float, excess: float) -> float:
    tree = decompose(problem.network)
    if tree is None:
        choice, _ = cheapest_selection(problem.network, fronts, slo, DEFAULT_OPTIONS)
    else:
        choice = cheapest_composition(tree, fronts, slo, excess)
    return math.inf if choice is None else sum(point.cost for point in choice)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    import pandas as pd

    options = suite_parser("dispatch.sequences", __doc__).parse_args(arguments)
    records = []
    for workload in chosen_workloads(options):
        instance = workload.instance()
        plan = solve(instance, "exact", Billing.WHOLE, Dispatch.PACED).plan
        if plan is None:
            continue
        (problem,) = pipeline_problems(instance)
        record = {name: least_cost(problem, plan.cost, kind) / plan.cost for name, kind in BOUNDS.items()}
        for name, kind in PLANS.items():
            cheaper = record[name] < 1 - COST_TOLERANCE
            record[f"{name}, found"] = least_cost(problem, plan.cost, kind) / plan.cost if cheaper else 1.0
        records.append(record)
    table = pd.DataFrame(records)
    summary = pd.DataFrame(
        {"mean": table.mean(), "least": table.min(), "cheaper": (table < 1 - COST_TOLERANCE).sum(), "of": len(table)}
    )
    print(summary.to_string(formatters={"mean": "{:.6f}".format, "least": "{:.4f}".format}))


if __name__ == "__main__":
    main()
