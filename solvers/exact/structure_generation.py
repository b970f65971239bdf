"""Column generation over structures: the exact method of fractional billing, for pipelines and fleets of any size.

A module's cost against its latency is a curve for every structure, full machines and the configuration of a residual
(`harpagon.formulations.residual`), so a plan picks a structure per module and a point on its curve. The master problem
over points of these curves (`harpagon.solvers.exact.point_generation`) has a lower bound, and a line in latency and
cost for each module.

Whole choices may cost more than that. With an upper bound from the known structures, all are listed that pass below the
lines raised by the difference (`harpagon.solvers.exact.structure_listing`); a plan with any other costs more than the
upper bound. The structure model over them (`harpagon.formulations.planning.structures`), its tangents added where a
solution lies below its curve, then has the optimum.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.structures import Choice, StructureData, structure_program
from harpagon.formulations.residual import Structure
from harpagon.formulations.structures import module_structure
from harpagon.solvers.exact.curve_moments import CurveMoments
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.gap_closing import close_gap
from harpagon.solvers.exact.point_generation import PointGeneration
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import ScheduleSearch
from harpagon.solvers.exact.structure_listing import Line, least_reduced_charge, structures_below
from harpagon.solvers.models.choices import picked
from harpagon.solvers.models.highs import solve_linear_program, solve_relaxation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.formulations.problem import PipelineProblem
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.result import Solution

_CURVE_TOLERANCE = 1e-10
"""Units of a machine's share by which a solution may lie below its curve without a further tangent."""
_CHEAP = 1e-2
"""Dollars per hour of a plan below which costs count in a unit of their own."""
_SPARES = (0.0, TIME_TOLERANCE / 4)
"""Seconds by which the modules of a plan stay below the latencies of a solution, which may break its rows a little."""
_SMALL_GAP = 5e-2
"""Relative gap that is closed in one step."""
_MOMENTS_GAP = 1e-4
"""Relative gap above which moments are priced."""
_QUICK_GAP = 1e-4
_GRID = 16


class StructureGeneration:
    """Search for the cheapest plan in fractional billing within a task's budget."""

    def __init__(self, task: Task, effort: Effort | None = None) -> None:
        self.task = task
        self.data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)
        self.pipelines = [q for q, problem in enumerate(task.problems) for _ in problem.modules]
        self.choices: list[dict[Structure, Choice]] = [{} for _ in self.data.modules]
        self.effort = effort or Effort(task.deadline)
        self.bound = task.floor
        self.rounds = 0
        self.master: tuple[list[Line], Pricing, float] | None = None
        self.listed_gap = -math.inf

    @property
    def dollar(self) -> float:
        """What the model counts costs in, $/hour: where plans cost next to nothing, a power of two near it."""
        ceiling = self.task.ceiling
        return 1.0 if not _CHEAP > ceiling > 0 else 2.0 ** math.floor(math.log2(ceiling))

    @property
    def size(self) -> int:
        """Structures of all modules."""
        return sum(map(len, self.choices))

    def run(self) -> tuple[float, bool]:
        """Lower bound on the cost of any plan within the budget, and whether the user stopped the search."""
        self._seed()
        points = PointGeneration(self.task, self.data, self.effort)
        complete = False
        with suppress(OutOfEffortError):
            complete = points.run()
        self.bound, self.rounds = max(self.bound, points.bound), points.rounds
        if not complete or points.prices is None:
            return self.bound, False
        with suppress(OutOfEffortError):
            self._approach(points)
        self.task.report(self.bound)
        for m, structures in enumerate(points.master.structures()):
            for structure in structures:
                self._add(m, structure)
        lines = [Line(worth, second) for worth, second in zip(points.least, points.prices.seconds, strict=True)]
        pricing, floor, bound, interrupted = Pricing(points.prices.surcharges), points.priced, self.bound, False
        if not (self.task.is_proven(bound) or self.task.late()):
            closed, interrupted = self._close(floor, lines, pricing)
            bound = max(bound, closed)
        self.master = (lines, pricing, floor)
        return bound, interrupted

    def _approach(self, points: PointGeneration) -> None:
        """A plan near the bound; in one pipeline that no limit couples to another, a better bound, too.

        Raises
        ------
        OutOfEffortError
            Where time runs out.
        """
        gap = self.task.ceiling - self.bound
        if len(self.task.problems) > 1 or self.data.limits or _is_chain(self.task.problems[0]):
            points.dive()
        elif gap > _MOMENTS_GAP * self.task.ceiling:
            moments = CurveMoments(points)
            try:
                moments.run()
            finally:
                self.bound = max(self.bound, moments.bound)

    # The structures known

    def _seed(self) -> None:
        """Structures of the incumbent; without a plan, stand-ins beyond the budget."""
        task, plan = self.task, self.task.incumbent.plan
        if plan is None:
            self._add_stand_ins()
            return
        modules = (module for pipeline in plan.pipelines for module in pipeline.modules.values())
        for m, module_plan in enumerate(modules):
            self._add(m, module_structure(module_plan.tuples, self.data.modules[m], task.dispatch))

    def _add_stand_ins(self) -> None:
        cost = self.task.budget * len(self.data.modules)
        for m, bounds in enumerate(self.data.bounds):
            nothing = Structure((), None, 0.0, bounds.earliest, ())
            self.choices[m][nothing] = Choice(nothing, cost, (0.0,) * len(self.data.limits), bounds.latest)

    def _latest(self, m: int) -> float:
        return self.data.bounds[m].latest + TIME_TOLERANCE / 2

    def _add(self, m: int, structure: Structure) -> bool:
        """Add a structure of module ``m``; whether it is new and quick enough."""
        if structure in self.choices[m] or structure.quickest > self._latest(m):
            return False
        usage = tuple(
            sum(part.machines for part in structure.full if part.configuration.hardware == name)
            for name in self.data.limits
        )
        cost = sum(part.cost for part in structure.full)
        self.choices[m][structure] = Choice(structure, cost, usage, self._latest(m))
        return True

    def model(self, choices: Sequence[Sequence[Choice]], excluded: Sequence[tuple[int, ...]] = ()) -> StructureData:
        """The structure model over these choices."""
        data = self.data
        slo = [slo + TIME_TOLERANCE / 2 for slo in data.slo]
        return StructureData(choices, slo, data.edges, data.sinks, data.limits, excluded)

    # Closing the gap

    def _listed(self, m: int, line: Line, pricing: Pricing) -> Iterator[Structure]:
        module, earliest = self.data.modules[m], self.data.bounds[m].earliest
        return structures_below(module, line, earliest, self._latest(m), self.task.dispatch, pricing, self.effort)

    def cut(self, known: Sequence[Sequence[Choice]], values: Mapping[str, float]) -> bool:
        """Add a tangent to every curve below which the solution of the master lies; whether there was any."""
        cut = False
        for m, choices in enumerate(known):
            for k, choice in enumerate(choices):
                weight = values[f"pick[{m},{k}]"]
                if not choice.price or weight <= _CURVE_TOLERANCE:
                    continue
                latency = choice.structure.quickest + values[f"extra[{m},{k}]"] / weight
                cut |= self._cut_one(choice, latency, choice.unit(self.dollar) * values[f"share[{m},{k}]"] / weight)
        return cut

    def _cut_one(self, choice: Choice, latency: float, share: float) -> bool:
        latency = min(max(latency, choice.structure.quickest), choice.loosest)
        if (
            choice.share_at(latency) <= share + _CURVE_TOLERANCE * choice.unit(self.dollar)
            or latency in choice.tangents
        ):
            return False
        choice.tangents.append(latency)
        return True

    def _close(self, floor: float, lines: Sequence[Line], pricing: Pricing) -> tuple[float, bool]:
        """List what the gap above ``floor`` allows and choose; a large gap first in part, for a better plan."""
        with suppress(OutOfEffortError):
            self._add_cheapest()
        solution, chosen_from = self.choose(self._known(), _QUICK_GAP), self.size

        def choose(gap: float, is_whole: bool) -> Solution[Values]:
            nonlocal solution, chosen_from
            if self.size > chosen_from or not self.task.is_proven(solution.dual_bound):
                within = [self.within(m, line, pricing, gap) for m, line in enumerate(lines)]
                if all(within):
                    solution, chosen_from = self.choose(within, 0.0 if is_whole else _QUICK_GAP), self.size
                else:
                    solution = replace(solution, dual_bound=math.inf)
            return solution

        return close_gap(self.task, floor, _SMALL_GAP, solution, partial(self.list_within, lines, pricing), choose)

    def _known(self) -> list[list[Choice]]:
        return [list(choices.values()) for choices in self.choices]

    def _add_cheapest(self) -> None:
        """Add the cheapest structures of every module at evenly spread latencies: what a good plan may be made of."""
        task = self.task
        for m, module in enumerate(self.data.modules):
            search = ScheduleSearch(module, task.billing, task.dispatch, effort=self.effort)
            earliest, latest = self.data.bounds[m].earliest, self._latest(m)
            for step in range(_GRID, 0, -1):
                point = search.cheapest(earliest + (latest - earliest) * step / _GRID, task.ceiling)
                if point is None:
                    break
                self._add(m, module_structure(point.schedule, module, task.dispatch))

    def list_within(self, lines: Sequence[Line], pricing: Pricing, gap: float) -> None:
        """Add every structure that passes below a line raised by ``gap``."""
        for m, line in enumerate(lines):
            self.list_below(m, line._replace(worth=line.worth + gap * (1 + COST_TOLERANCE)), pricing)
        self.listed_gap = gap

    def list_below(self, m: int, line: Line, pricing: Pricing) -> None:
        """Add every structure of module ``m`` below ``line``, of those on limited types all that differ in their use.

        Raises
        ------
        OutOfEffortError
            Where time runs out.
        """
        if any(c.hardware in self.data.limits for c in self.data.modules[m].configurations):
            pricing = replace(pricing, tracked=tuple(self.data.limits))
        for structure in self._listed(m, line, pricing):
            self._add(m, structure)

    def within(self, m: int, line: Line, pricing: Pricing, gap: float) -> list[Choice]:
        """Structures known of module ``m`` that pass below ``line`` raised by ``gap``."""
        allowed = gap + COST_TOLERANCE * (abs(line.worth) + gap)
        known = self.choices[m].values()
        return [choice for choice in known if least_reduced_charge(choice, line, pricing)[0] <= allowed]

    def choose(self, choices: Sequence[Sequence[Choice]], gap: float) -> Solution[Values]:
        """Cheapest choice, offered as a plan; tangents are added until a plan costs what the model says."""
        excluded: list[tuple[int, ...]] = []
        while True:
            options = self.task.remaining()
            program = structure_program(self.model(choices, excluded), self.dollar)
            solution = solve_linear_program(program, replace(options, gap=max(options.gap, gap)))
            solution = replace(solution, dual_bound=solution.dual_bound * self.dollar)
            if solution.plan is None:
                return solution
            numbers = picked(choices, solution.plan)
            chosen = [own[k] for own, k in zip(choices, numbers, strict=True)]
            if not all(choice.structure.full or choice.price for choice in chosen):
                return solution
            fault, cut = self._offer(chosen)
            if fault:
                excluded.append(numbers)
            elif not cut or self.task.is_proven(solution.dual_bound) or solution.interrupted or self.task.late():
                return solution

    def _offer(self, chosen: Sequence[Choice]) -> tuple[bool, bool]:
        """Offer the cheapest plan of these structures; whether it fails the check, and whether a tangent was added."""
        program = self.model([[choice] for choice in chosen])
        cut, latencies = False, [choice.structure.quickest for choice in chosen]
        while (
            relaxation := solve_relaxation(structure_program(program, self.dollar), self.task.remaining())
        ) is not None:
            latencies = [
                choice.structure.quickest + relaxation.values.get(f"extra[{m},0]", 0.0)
                for m, choice in enumerate(chosen)
            ]
            if not self.cut(program.choices, relaxation.values) or self.task.late():
                break
            cut = True
        else:
            return True, cut
        return not any(self._is_plan(chosen, latencies, spare) for spare in _SPARES), cut

    def _is_plan(self, chosen: Sequence[Choice], latencies: Sequence[float], spare: float) -> bool:
        """Offer the plan whose modules take ``spare`` seconds less than that; whether it passes the check."""
        schedules = []
        for choice, latency in zip(chosen, latencies, strict=True):
            within = min(max(latency - spare, choice.structure.quickest), choice.loosest)
            schedules.append(choice.structure.schedule(choice.structure.rate(within)))
        incumbent = self.task.incumbent
        return incumbent.offer(incumbent.assemble(schedules)) is None


def _is_chain(problem: PipelineProblem) -> bool:
    return all(len(successors) <= 1 for successors in problem.network.successors)
