"""Of the fractional plans of least cost the quickest: a second choice among the structures that such a plan may have.

The bound of the lines rises as an SLO falls, by what the lines of its sinks are charged for a second. Where that alone
lifts it above the cost of the best plan, no plan of its cost is quicker. Else a plan that costs no more has, of every
module, a structure that passes below its line raised by what the best plan is above the bound. Of these the structure
model picks the quickest within the cost, its tangents added where a solution lies below its curve. Work is counted, not
timed: the plan is the same on every machine.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.structures import quickest_structure_program
from harpagon.solvers.exact.effort import CLEARLY_QUICKER, TIE_CHOICES, TIE_LABELS, TIE_NODES, Effort, OutOfEffortError
from harpagon.solvers.exact.structure_generation import StructureGeneration
from harpagon.solvers.models.choices import picked
from harpagon.solvers.models.highs import solve_linear_program, solve_relaxation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.planning.structures import Choice
    from harpagon.instances.plan import DispatchTuple
    from harpagon.solvers.exact.pricing import Pricing
    from harpagon.solvers.exact.structure_listing import Line


class QuickestStructures(StructureGeneration):
    """Search for the quickest of the cheapest plans in fractional billing within a task's budget."""

    def run(self) -> tuple[float, bool]:
        """As `StructureGeneration.run`; once its plan is proven, a quicker one of its cost is offered."""
        bound, interrupted = super().run()
        if self.master is not None and self.task.is_proven(bound) and not interrupted:
            self._offer_quickest(*self.master)
        return bound, interrupted

    def _offer_quickest(self, lines: Sequence[Line], pricing: Pricing, floor: float) -> None:
        """Offer the quickest plan that costs no more than the incumbent, ``floor`` being the bound of ``lines``."""
        budget = self.task.incumbent.cost * (1 + COST_TOLERANCE)
        gap = max(0.0, budget - floor)
        if not self._pays(self._least_length(lines, gap)):
            return
        if gap > self.listed_gap + 2 * COST_TOLERANCE * budget:
            self._list_once_more(lines, pricing, gap)
        choices = [self.within(m, line, pricing, gap) for m, line in enumerate(lines)]
        if all(choices):
            self._choose_quickest(choices, budget)

    def _least_length(self, lines: Sequence[Line], gap: float) -> float:
        """Sum over pipelines of latency / SLO that no plan within ``gap`` of the bound of ``lines`` undercuts."""
        worth: dict[int, float] = {}
        for m in self.data.sinks:
            pipeline = self.pipelines[m]
            worth[pipeline] = worth.get(pipeline, 0.0) + lines[m].second * self.data.slo[m]
        return len(worth) - gap / least if (least := min(worth.values())) > 0 else 0.0

    def _pays(self, length: float) -> bool:
        """Whether a plan of this sum of latency / SLO is clearly quicker than the incumbent."""
        plan = self.task.incumbent.plan
        assert plan is not None, "proven before"
        pairs = zip(plan.pipelines, self.task.problems, strict=True)
        own = sum((done.latency - problem.entry) / (problem.slo + TIME_TOLERANCE / 2) for done, problem in pairs)
        return length < own * (1 - CLEARLY_QUICKER)

    def _list_once_more(self, lines: Sequence[Line], pricing: Pricing, gap: float) -> None:
        """List what passes below the raised lines, as far as the labels go."""
        effort, self.effort = self.effort, Effort(self.task.deadline, TIE_LABELS)
        with suppress(OutOfEffortError):
            self.list_within(lines, pricing, gap)
        self.effort = effort

    def _choose_quickest(self, choices: Sequence[Sequence[Choice]], budget: float) -> None:
        """Choose until a choice is as quick as the model says."""
        excluded: list[tuple[int, ...]] = []
        incumbent = self.task.incumbent
        for _ in range(TIE_CHOICES):
            program = quickest_structure_program(self.model(choices, excluded), self.pipelines, budget)
            relaxation = solve_relaxation(program, self.task.remaining())
            if relaxation is None or not self._pays(relaxation.value):
                return
            solution = solve_linear_program(program, self.task.remaining(), most_nodes=TIE_NODES)
            if solution.plan is None or not self._pays(solution.dual_bound):
                return
            numbers = picked(choices, solution.plan)
            schedules, cut = self._at_quickest([own[k] for own, k in zip(choices, numbers, strict=True)], budget)
            if schedules is None or incumbent.offer_quicker(incumbent.assemble(schedules)) is not None:
                excluded.append(numbers)
            elif not cut:
                return

    def _at_quickest(
        self, chosen: Sequence[Choice], budget: float
    ) -> tuple[list[tuple[DispatchTuple, ...]] | None, bool]:
        """Schedules of these structures at their quickest within the cost, and whether a tangent was added."""
        data, cut = self.model([[choice] for choice in chosen]), False
        while True:
            program = quickest_structure_program(data, self.pipelines, budget)
            relaxation = solve_relaxation(program, self.task.remaining())
            if relaxation is None:
                return None, cut
            if not self.cut(data.choices, relaxation.values):
                break
            cut = True
        extras = (relaxation.values.get(f"extra[{m},0]", 0.0) for m in range(len(chosen)))
        structures = [choice.structure for choice in chosen]
        latencies = [min(c.structure.quickest + x, c.loosest) for c, x in zip(chosen, extras, strict=True)]
        return [one.schedule(one.rate(latency)) for one, latency in zip(structures, latencies, strict=True)], cut
