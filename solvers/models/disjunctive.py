"""The disjunctive model on HiGHS, in its big-M and its hull form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harpagon.formulations.planning.disjunctive import build_disjunctive
from harpagon.solvers.models.tangents import solve_by_tangents
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


def solve_disjunctive_bigm(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.disjunctive`, big-M form."""
    build = partial(build_disjunctive, relaxation="bigm")
    return solve_by_tangents("disjunctive-bigm", build, instance, billing, dispatch, options)


def solve_disjunctive_hull(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.disjunctive`, hull form."""
    build = partial(build_disjunctive, relaxation="hull")
    return solve_by_tangents("disjunctive-hull", build, instance, billing, dispatch, options)
