"""Could another order of the queue make plans cheaper? ``python -m studies.shared.order --instances 14``.

Whatever the order, a batch that joins just after one of another group has started waits for it and then runs: without
preemption no group is promised less than c + d + the longest d of the others. The assignment model with that in the
place of ``wait`` is a relaxation of every dispatcher; where none of its solutions is cheaper than the optimum first
come, first served, no order is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.planning.assignment import build_assignment
from harpagon.formulations.planning.linear_program import linear_program
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.policies import Billing
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.methods import solve
from harpagon.solvers.models.highs import solve_linear_program
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from harpagon.solvers.shared.assignment import assignment_data
from harpagon.solvers.shared.problem import SharedProblem
from studies.suites import chosen_instances, suite_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyomo.environ import ConcreteModel

    from harpagon.formulations.planning.assignment import AssignmentData
    from harpagon.instances.instance import Instance

_CHEAPER = 1e-6
"""Share of its cost by which a plan has to be cheaper."""


def any_order(data: AssignmentData, most: float) -> ConcreteModel:
    """The model in which a group waits for the longest other batch alone, of plans of at most ``most`` $/h."""
    from pyomo.environ import Constraint

    model = build_assignment(data)
    model.wait.deactivate()
    longest = max(data.master.slo)
    guests = {(m, i) for m, _, i in data.places}
    pairs = sorted((m, other, i) for m, i in guests for other, j in guests if i == j and m != other)

    def put(m: int, i: int) -> list[tuple[int, int, int]]:
        return [place for place in data.places if (place[0], place[2]) == (m, i)]

    def wait(_: object, m: int, other: int, i: int) -> object:
        own = sum((data.group(p).close_after + data.group(p).duration) * model.place[p] for p in put(m, i))
        before = sum(data.group(p).duration * model.place[p] for p in put(other, i))
        away = 1 - sum(model.place[p] for p in put(m, i))
        return own + before - longest * away <= model.latency[m]

    model.any_wait = Constraint(pairs, rule=wait)
    model.cheaper = Constraint(expr=model.cost.expr <= most)
    return model


def least_cost(instance: Instance, cost: float, seconds: float) -> float:
    """Bound on the cost in any order, as a share of the optimum ``cost``: 1 where no order helps."""
    data = assignment_data(SharedProblem.compile(instance, pipeline_problems(instance), cost), Effort())
    program = linear_program(any_order(data, cost * (1 - _CHEAPER)))
    solution = solve_linear_program(program, SolverOptions(time_limit=seconds))
    return 1.0 if solution.termination is Termination.INFEASIBLE else max(0.0, solution.dual_bound / cost)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = suite_parser("shared.order", "Whether another order of the queue could make plans cheaper.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each relaxation")
    options = parser.parse_args(arguments)
    found: list[float] = []
    for instance in chosen_instances(options):
        plan = solve(instance, billing=Billing.SHARED).plan
        assert plan is not None, "workloads of the suites have plans"
        found.append(least_cost(instance, plan.cost, options.seconds))
        print(f"{instance.name}: in any order at least {found[-1]:.4f} of the optimum", flush=True)
    print(f"{len(found)} workloads: no order helps on {found.count(1.0)}; least {min(found):.4f}")


if __name__ == "__main__":
    main()
