"""The compact model on HiGHS: tangents until the solution satisfies the true latency curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.planning.compact import build_compact
from harpagon.solvers.models.tangents import solve_by_tangents
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


def solve_compact(
    instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
) -> Result:
    """Solve an instance with `harpagon.formulations.planning.compact`.

    Raises
    ------
    UnsupportedError
        Under ``free`` dispatch, where the order would be a variable, and ``edf``.
    """
    return solve_by_tangents("compact", build_compact, instance, billing, dispatch, options)
