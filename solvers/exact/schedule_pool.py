"""Schedules known for every module of an instance, and the best plan among them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.pattern import Column, PatternData, pattern_program
from harpagon.instances.plan import machines_used
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.frontier import STEP, step_below
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import distinct_schedules
from harpagon.solvers.exact.selection import picked_columns
from harpagon.solvers.models.highs import solve_linear_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harpagon.instances.plan import DispatchTuple
    from harpagon.solvers.exact.schedule import Point
    from harpagon.solvers.models.highs import LinearSolution
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.options import SolverOptions

_QUICK_GAP = 1e-4
"""Gap of a choice whose only purpose is an upper bound."""
_SMALL_GAP = 1e-2
"""Relative gap that is closed in one step."""
_FIRST_SHARE = 1 / 4
_WIDENING = 4.0
"""Share of the gap within which schedules are listed first, and how much further each time."""


class SchedulePool:
    """Columns of the pattern model, the modules of all pipelines in one list.

    Parameters
    ----------
    task
        The case; its incumbent's schedules are in the pool from the start, and plans found are offered to it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.effort = Effort(task.deadline)
        self.data = PlanningData.compile(task.instance, task.problems, task.billing, task.dispatch, task.budget)
        self.excluded: tuple[tuple[int, ...], ...] = ()
        self.columns: list[dict[tuple[float, ...], Column]] = [{} for _ in self.data.modules]
        if task.incumbent.plan is not None:
            modules = (module for pipeline in task.incumbent.plan.pipelines for module in pipeline.modules.values())
            for m, module in enumerate(modules):
                self.add(m, self.column(m, module.tuples))

    @property
    def size(self) -> int:
        """Columns of all modules."""
        return sum(map(len, self.columns))

    def add(self, m: int, column: Column) -> bool:
        """Add a column of module ``m``; whether it is new."""
        key = (column.cost, column.latency, *column.usage)
        return self.columns[m].setdefault(key, column) is column

    def column(self, m: int, schedule: tuple[DispatchTuple, ...]) -> Column:
        """Column of a schedule of module ``m``."""
        cost = sum(part.cost for part in schedule)
        return Column(cost, self.data.modules[m].latency(schedule, self.task.dispatch), self.usage(schedule), schedule)

    def usage(self, schedule: Sequence[DispatchTuple]) -> tuple[float, ...]:
        """Machines of each limited type in a schedule."""
        used = machines_used(schedule)
        return tuple(used.get(hardware, 0.0) for hardware in self.data.limits)

    def is_limited(self, m: int) -> bool:
        """Whether module ``m`` may run on hardware with a limit."""
        return any(c.hardware in self.data.limits for c in self.data.modules[m].configurations)

    def latest(self, m: int) -> float:
        """Loosest budget of module ``m`` in seconds."""
        return self.data.bounds[m].latest + TIME_TOLERANCE / 2

    def distinct_points(
        self, m: int, surcharges: Mapping[str, float], caps: Sequence[tuple[float, float]]
    ) -> Iterator[Point]:
        """Schedules of module ``m`` that none beats in cost, latency and use of every limited type.

        ``caps`` are latencies in seconds, falling to 0, with the largest charge of interest of schedules slower than
        that, dollars per hour.
        """
        task, pricing = self.task, Pricing(surcharges, tuple(self.data.limits))
        budget = self.latest(m)
        for latency, cap in caps:
            end = latency + STEP  # a schedule as quick as that must not fall between two caps by rounding
            while budget > end:
                module, effort = self.data.modules[m], self.effort
                points = distinct_schedules(module, budget, task.billing, task.dispatch, cap, pricing, effort)
                yield from points
                slowest = max((point.latency for point in points), default=0.0)
                budget = max(end, min(step_below(slowest), step_below(budget)))

    def pattern(self) -> PatternData:
        """Data of the pattern model over all columns."""
        return PatternData(
            columns=tuple(tuple(columns.values()) for columns in self.columns),
            slo=tuple(slo + TIME_TOLERANCE / 2 for slo in self.data.slo),
            edges=self.data.edges,
            sinks=self.data.sinks,
            limits=self.data.limits,
            excluded=self.excluded,
        )

    def close(self, floor: float, list_columns: Callable[[float], None]) -> tuple[float, bool]:
        """Close the gap above ``floor``, a lower bound on the cost of any plan.

        Schedules are listed that a plan within a share of a large gap may have, then within more of it: a better plan
        found on the way leaves less to list, and a plan that is missing costs more than what was listed.

        Parameters
        ----------
        floor
            Dollars per hour.
        list_columns
            Adds every schedule that a plan within so many dollars per hour of the floor may have.

        Returns
        -------
        tuple
            The bound reached, and whether the user stopped the search.
        """
        task = self.task
        solution = self._choose_quickly()
        bound = floor
        width = self._ceiling() - floor
        if width > _SMALL_GAP * self._ceiling():
            width *= _FIRST_SHARE
        while not (solution.interrupted or task.late() or task.is_proven(bound)):
            task.report(bound)
            gap = self._ceiling() - floor
            if bound >= self._ceiling():
                break
            try:
                list_columns(min(width, gap))
            except OutOfEffortError:
                break
            solution = self.choose(task.remaining()) if width >= gap else self._choose_quickly()
            bound = max(bound, min(solution.bound, floor + min(width, gap)))
            width *= _WIDENING
        return bound, solution.interrupted

    def _choose_quickly(self) -> LinearSolution:
        options = self.task.remaining()
        return self.choose(replace(options, gap=max(options.gap, _QUICK_GAP)))

    def _ceiling(self) -> float:
        """Dollars per hour above which no plan is of interest."""
        return self.task.budget if self.task.incumbent.plan is None else self.task.incumbent.cost

    def choose(self, options: SolverOptions) -> LinearSolution:
        """Offer the cheapest choice of columns as a plan; one that misses an SLO by rounding is cut off."""
        while True:
            data = self.pattern()
            solution = solve_linear_program(pattern_program(data), options)
            if solution.values is None:
                return solution
            choice = picked_columns(data, solution.values)
            schedules = [data.columns[m][k].schedule for m, k in enumerate(choice)]
            incumbent = self.task.incumbent
            if not all(schedules) or incumbent.offer(incumbent.assemble(schedules)) is None:
                return solution
            self.excluded = (*self.excluded, choice)
