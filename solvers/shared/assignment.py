"""The assignment model on HiGHS: a second exact method under ``shared`` billing, for small instances.

It shares with `columns` what is chosen from, own schedules and groups, and nothing of how mixes are found.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from harpagon.formulations.bounds import is_reachable, most_under_shared
from harpagon.formulations.planning.assignment import AssignmentData, build_assignment, machines_to_share
from harpagon.formulations.planning.linear_program import linear_program
from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.shared import Mix
from harpagon.formulations.shared_assembly import assemble_shared
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.exact.effort import Effort, OutOfEffortError
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.models.highs import highs_info, solve_linear_program
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Termination
from harpagon.solvers.shared.problem import SharedProblem
from harpagon.solvers.shared.solve import run_shared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.assignment import Place
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.models.incumbent import Incumbent
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result
    from harpagon.solvers.shared.proof import Proof


def solve_assignment(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.assignment`, under ``shared`` and ``paced``."""
    return run_shared("assignment", AssignmentSearch, highs_info, instance, options)


def assignment_model(instance: Instance, options: SolverOptions = DEFAULT_OPTIONS) -> ConcreteModel:
    """Pyomo model over all plans that cost no more than the optimum under ``whole``.

    Raises
    ------
    UnsupportedError
        Where the instance has no plan to write down.
    """
    problems = pipeline_problems(instance)
    whole = solve_exact(instance, Billing.WHOLE, Dispatch.PACED, options).plan
    budget = most_under_shared(instance, problems) if whole is None else whole.cost
    data = None
    if all(is_reachable(problem, Dispatch.PACED) for problem in problems):
        data = assignment_data(SharedProblem.compile(instance, problems, budget), Effort())
    if data is None or not data.can_serve():
        raise UnsupportedError("assignment", "an instance without any plan", ())
    return build_assignment(data)


class AssignmentSearch:
    """Solves the model for plans within the budget of ``problem``; plans are offered to ``incumbent``."""

    def __init__(self, problem: SharedProblem, incumbent: Incumbent, options: SolverOptions, effort: Effort) -> None:
        self._problem, self._incumbent, self._options, self._effort = problem, incumbent, options, effort
        self.details: dict[str, object] = {}

    def run(self, proof: Proof) -> None:
        """Raise ``proof`` as far as the effort goes; without a plan at its end there is none within the budget.

        Raises
        ------
        OutOfEffortError
            Where the effort is used up.
        """
        data = assignment_data(self._problem, self._effort)
        if not data.can_serve():
            proof.done = True
            return
        model = build_assignment(data)
        while True:
            left = self._effort.time_left()
            if left == 0:
                raise OutOfEffortError
            program = linear_program(model)
            self.details = {"rows": program.rows, "columns": program.columns}
            solution = solve_linear_program(program, replace(self._options, time_limit=left))
            if solution.plan is None:
                break
            chosen = frozenset(
                name for name, value in solution.plan.items() if name[:4] in ("own[", "plac") and value > 1 / 2
            )
            if self._incumbent.offer(self._plan(data, chosen)) is None or solution.interrupted:
                break
            _exclude(model, chosen)
        proof.bound = max(proof.bound, min(self._incumbent.cost, solution.dual_bound))
        proof.done = solution.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
        if solution.interrupted:
            raise KeyboardInterrupt

    def _plan(self, data: AssignmentData, chosen: frozenset[str]) -> Plan:
        owned = {
            m: one.schedule
            for m, schedules in enumerate(data.master.owned)
            for k, one in enumerate(schedules)
            if f"own[{m},{k}]" in chosen
        }
        placed = [place for place in data.places if "place[{},{},{}]".format(*place) in chosen]
        return assemble_shared(self._problem.instance, self._problem.data.problems, owned, _mixes(data, placed))


def assignment_data(problem: SharedProblem, effort: Effort) -> AssignmentData:
    """What the model is built of.

    Raises
    ------
    OutOfEffortError
        Where the effort is used up.
    """
    owned = [problem.owned(m, effort) for m in range(len(problem.models))]
    machines = machines_to_share(problem.groups, problem.instance.hardware)
    return AssignmentData(problem.master(owned, ()), problem.groups, machines, problem.models, problem.machines)


def _mixes(data: AssignmentData, placed: Iterable[Place]) -> list[Mix]:
    hosts: defaultdict[int, list[Place]] = defaultdict(list)
    for place in placed:
        hosts[place[2]].append(place)
    return [
        Mix(tuple(m for m, _, _ in places), tuple(data.group(place) for place in places), data.together)
        for places in hosts.values()
    ]


def _exclude(model: ConcreteModel, chosen: frozenset[str]) -> None:
    """Cut off a choice that met a row only within the solver's tolerance."""
    from pyomo.common.modeling import unique_component_name
    from pyomo.environ import Constraint

    picked = [v for v in (*model.own.values(), *model.place.values()) if v.name in chosen]
    model.add_component(unique_component_name(model, "excluded"), Constraint(expr=sum(picked) <= len(picked) - 1))
