"""The disjunctive model on HiGHS, in its big-M and its hull form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from harpagon.formulations.planning.disjunctive import build_disjunctive
from harpagon.solvers.models.tangents import solve_by_tangents
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


def solve_disjunctive(
    instance: Instance,
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions = DEFAULT_OPTIONS,
    relaxation: Literal["bigm", "hull"] = "hull",
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.disjunctive`, in its big-M or its hull form."""
    build = partial(build_disjunctive, relaxation=relaxation)
    return solve_by_tangents(f"disjunctive-{relaxation}", build, instance, billing, dispatch, options)
