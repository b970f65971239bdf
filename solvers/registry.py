"""Exact methods by name; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_TARGETS = {
    "exact": "exact.solve:solve_exact",
    "brute-force": "enumeration.brute_force:solve_brute_force",
    "compact": "models.compact:solve_compact",
    "disjunctive-bigm": "models.disjunctive:solve_disjunctive_bigm",
    "disjunctive-hull": "models.disjunctive:solve_disjunctive_hull",
    "cp-sat": "models.cp_sat:solve_cp_sat",
    "pattern": "models.pattern:solve_pattern",
}


class ExactMethod(Protocol):
    """What solves an instance to proven optimality, or as far as its options allow."""

    def __call__(
        self, instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = ...
    ) -> Result:
        """Solve ``instance``."""


def exact_method(name: str) -> ExactMethod:
    """Solver of a method named in `harpagon.solvers.capabilities.CAPABILITIES`."""
    module, function = _TARGETS[name].split(":")
    return cast("ExactMethod", getattr(import_module(f"harpagon.solvers.{module}"), function))
