"""The relaxation by share of time: a group pays the share of a machine's time that it takes, and waits for nobody.

Every module picks a schedule of its own, or a group for price x d / P at latency c + d, under path latencies and
limits; a dealt module pays for machines of its own beside and is no quicker than they are. In any mix a group waits no
less than d after its closing, and the shares d / P of a machine sum to at most 1, so that they pay no more than its
price: the optimum is a lower bound on the cost of every plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.planning.pattern import Column
from harpagon.formulations.planning.shared import shared_program
from harpagon.solvers.models.highs import solve_linear_program

if TYPE_CHECKING:
    from harpagon.formulations.shared import Group
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.shared.problem import SharedProblem


def share_of_time_bound(problem: SharedProblem, options: SolverOptions, effort: Effort) -> float:
    """Lower bound on the cost of every plan within the budget of ``problem``, dollars per hour.

    Raises
    ------
    OutOfEffortError
        Where ``effort`` is used up.
    """
    columns = [(*problem.owned(m, effort), *_groups(problem, m)) for m in range(len(problem.models))]
    return solve_linear_program(shared_program(problem.master(columns, ())), options).dual_bound


def _groups(problem: SharedProblem, m: int) -> list[Column]:
    """Groups of module ``m`` as columns."""
    return [_by_share(problem, one) for by_module in problem.groups.values() for one in by_module[m]]


def _by_share(problem: SharedProblem, one: Group) -> Column:
    share = problem.machines * one.share
    used = {one.configuration.hardware: share}
    for part in one.own:
        used[part.configuration.hardware] = used.get(part.configuration.hardware, 0.0) + part.machines
    usage = tuple(used.get(name, 0.0) for name in problem.data.limits)
    return Column(share * one.configuration.price + one.own_cost, one.latency(one.duration), usage, ())
