"""Column generation over mixes, closed to a proof.

1. The relaxation of the master is solved over all schedules of modules alone and the mixes found so far; its duals
   price mixes, and the search adds those of negative reduced cost until there are none: its value is a lower bound.
2. A plan that costs less than the best known one can hold only columns whose reduced cost is within the gap between
   the two. All of these are listed, and the master over them is solved in whole numbers.
3. So do the plans that cost the same, at its end: of these the quickest is chosen over the same columns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE, PROOF_TOLERANCE
from harpagon.formulations.planning.shared import quickest_program, shared_program
from harpagon.formulations.shared_assembly import assemble_shared
from harpagon.solvers.exact.effort import OutOfEffortError
from harpagon.solvers.models.highs import solve_linear_program, solve_relaxation
from harpagon.solvers.result import Termination
from harpagon.solvers.shared.mixes import Duals, MixSearch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.formulations.planning.linear_program import LinearProgram
    from harpagon.formulations.planning.pattern import Column
    from harpagon.formulations.planning.shared import MixColumn, SharedData
    from harpagon.instances.plan import Plan
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.models.highs import Values
    from harpagon.solvers.models.incumbent import Incumbent
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Solution
    from harpagon.solvers.shared.problem import SharedProblem
    from harpagon.solvers.shared.proof import Proof

_A_ROUND = 20
"""Mixes of every type that one round of pricing adds."""
_NEGATIVE = 1e-8
"""Relative to the budget: a reduced cost beyond this is negative."""
_PENALTY = 2.0
"""Budgets that a module costs which goes unserved."""


class ColumnSearch:
    """Finds the cheapest plan within the budget of ``problem``; better plans are offered to ``incumbent``.

    Parameters
    ----------
    problem
        What is chosen from.
    incumbent
        Best plan so far.
    options
        Of HiGHS and of the proof.
    effort
        Time that all searches together may take.
    """

    def __init__(self, problem: SharedProblem, incumbent: Incumbent, options: SolverOptions, effort: Effort) -> None:
        self._problem, self._incumbent, self._effort = problem, incumbent, effort
        self._options = options
        self._search = MixSearch(problem, effort)
        self._owned: tuple[tuple[Column, ...], ...] = ()
        self._mixes: list[MixColumn] = []
        self._rounds = 0

    @property
    def details(self) -> dict[str, object]:
        """Mixes at hand, and rounds of pricing."""
        return {"columns": len(self._mixes), "rounds": self._rounds}

    def run(self, proof: Proof) -> None:
        """Raise ``proof`` as far as the effort goes; without a plan at its end there is none within the budget.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up.
        """
        self._owned = tuple(self._problem.owned(m, self._effort) for m in range(len(self._problem.models)))
        duals = self._relax(proof)
        if duals is None:
            return
        bound = proof.bound
        proof.done = self._is_settled(proof)
        closed = not proof.done
        if closed:
            self._choose(self._problem.master(self._owned, self._mixes), shared_program, self._incumbent.offer)
            self._close(proof, duals)
        if proof.done and self._incumbent.plan is not None:
            self._quicken(self._near(duals, bound, listed=closed))

    def _is_settled(self, proof: Proof) -> bool:
        """Whether the bound leaves no better plan; without any, it has to pass the budget."""
        if self._incumbent.plan is None:
            return proof.bound > self._problem.budget * (1 + PROOF_TOLERANCE)
        return proof.bound >= self._incumbent.cost * (1 - PROOF_TOLERANCE)

    def _ceiling(self) -> float:
        return min(self._incumbent.cost, self._problem.budget * (1 + PROOF_TOLERANCE))

    def _relax(self, proof: Proof) -> Duals | None:
        """Duals of the relaxation over all columns; None where HiGHS did not reach its optimum."""
        budget = self._problem.budget
        most_mixes = len(self._problem.models) // 2
        while True:
            data = self._problem.master(self._owned, self._mixes)
            relaxed = solve_relaxation(shared_program(data, _PENALTY * budget), self._left())
            if relaxed is None:
                return None
            value, duals = relaxed.value, self._duals(relaxed.duals)
            self._rounds += 1
            known = {column.mix for column in self._mixes}
            found = self._search.below(duals, -_NEGATIVE * budget, _A_ROUND)
            lowest = min((duals.mix(column) for column in found), default=0.0)
            proof.bound = max(proof.bound, value + most_mixes * lowest)
            self._report(proof)
            new = [column for column in found if column.mix not in known]
            if not new:
                return duals
            self._mixes += new

    def _duals(self, rows: Mapping[str, float]) -> Duals:
        modules = range(len(self._problem.models))
        return Duals(
            cover=tuple(rows[f"cover[{m}]"] for m in modules),
            wait=tuple(max(0.0, -rows[f"wait[{m}]"]) for m in modules),
            toll={name: max(0.0, -rows.get(f"limit[{name}]", 0.0)) for name in self._problem.data.limits},
        )

    def _close(self, proof: Proof, duals: Duals) -> None:
        """List every column that a better plan may have, and choose among them."""
        ceiling = self._ceiling()
        solution = self._choose(self._near(duals, proof.bound, listed=False), shared_program, self._incumbent.offer)
        proof.bound = max(proof.bound, min(ceiling, solution.dual_bound))
        proof.done = solution.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
        self._report(proof)
        if solution.interrupted:
            raise KeyboardInterrupt

    def _near(self, duals: Duals, bound: float, *, listed: bool) -> SharedData:
        """The master over all columns of plans that cost no more than the best one; ``bound`` is the relaxation's.

        ``listed`` says that those of plans that cost more are at hand.
        """
        ceiling = self._ceiling()
        gap = ceiling - bound + _NEGATIVE * ceiling
        if listed:
            self._mixes = [column for column in self._mixes if duals.mix(column) < gap]
        else:
            self._mixes = self._search.below(duals, gap)
        owned = [
            tuple(one for one in schedules if self._reduced(m, one, duals) <= gap)
            for m, schedules in enumerate(self._owned)
        ]
        return self._problem.master(owned, self._mixes)

    def _quicken(self, data: SharedData) -> None:
        """Offer the quickest plan that costs no more than the best one."""
        most = self._incumbent.cost * (1 + COST_TOLERANCE)
        solution = self._choose(data, lambda left: quickest_program(left, most), self._incumbent.offer_quicker)
        if solution.interrupted:
            raise KeyboardInterrupt

    def _reduced(self, m: int, column: Column, duals: Duals) -> float:
        tolls = zip(self._problem.data.limits, column.usage, strict=True)
        charged = column.cost + sum(duals.toll[name] * used for name, used in tolls)
        return charged + duals.wait[m] * column.latency - duals.cover[m]

    def _choose(
        self,
        data: SharedData,
        program: Callable[[SharedData], LinearProgram],
        offer: Callable[[Plan], str | None],
    ) -> Solution[Values]:
        """Offer the best choice of columns as a plan; one that misses an SLO by rounding is cut off."""
        while True:
            solution = solve_linear_program(program(data), self._left())
            if solution.plan is None:
                return solution
            chosen = frozenset(
                name for name, value in solution.plan.items() if name[:3] in ("own", "mix") and value > 1 / 2
            )
            if offer(self._plan(data, chosen)) is None or solution.interrupted:
                return solution
            data = replace(data, excluded=(*data.excluded, chosen))

    def _plan(self, data: SharedData, chosen: frozenset[str]) -> Plan:
        owned = {
            m: one.schedule
            for m, schedules in enumerate(data.owned)
            for k, one in enumerate(schedules)
            if f"own[{m},{k}]" in chosen
        }
        mixes = [column.mix for j, column in enumerate(data.mixes) if f"mix[{j}]" in chosen]
        return assemble_shared(self._problem.instance, self._problem.data.problems, owned, mixes)

    def _left(self) -> SolverOptions:
        """The options with the time that is left."""
        left = self._effort.time_left()
        if left == 0:
            raise OutOfEffortError
        return replace(self._options, time_limit=left)

    def _report(self, proof: Proof) -> None:
        if self._options.progress is not None:
            self._options.progress(self._incumbent.cost, proof.bound)
