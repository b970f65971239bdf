"""Plan how to serve a pipeline of DNN models for the least money under a latency objective.

The public names are imported when they are first used, so ``import harpagon`` costs nothing.

Examples
--------
>>> import harpagon
>>> from harpagon.instances import resolve
>>> result = harpagon.solve(resolve("worked-example"), method="exact")
>>> result.plan.cost, result.termination
(5.0, <Termination.OPTIMAL: 'optimal'>)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harpagon.formulations.checker import CheckReport, Violation, check
    from harpagon.instances.errors import InputError
    from harpagon.instances.files.instances import read_instance, write_instance
    from harpagon.instances.files.plans import plan_document, read_plan, write_plan
    from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
    from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan, Plan
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.capabilities import UnsupportedError
    from harpagon.solvers.certificates import certificate
    from harpagon.solvers.methods import METHODS, CheckFailedError, Method, solve
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result, SolverInfo, Termination

    __version__: str

_HOMES = {
    "solvers.certificates": ("certificate",),
    "formulations.checker": ("CheckReport", "Violation", "check"),
    "instances.errors": ("InputError",),
    "instances.files.instances": ("read_instance", "write_instance"),
    "instances.instance": ("Configuration", "Hardware", "Instance", "Pipeline"),
    "instances.plan": ("DispatchTuple", "ModulePlan", "PipelinePlan", "Plan"),
    "instances.files.plans": ("plan_document", "read_plan", "write_plan"),
    "instances.policies": ("Billing", "Dispatch"),
    "solvers.methods": ("METHODS", "CheckFailedError", "Method", "solve"),
    "solvers.capabilities": ("UnsupportedError",),
    "solvers.options": ("SolverOptions",),
    "solvers.result": ("Result", "SolverInfo", "Termination"),
}
_HOME_OF = {name: f"harpagon.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "METHODS",
    "Billing",
    "CheckFailedError",
    "CheckReport",
    "Configuration",
    "Dispatch",
    "DispatchTuple",
    "Hardware",
    "InputError",
    "Instance",
    "Method",
    "ModulePlan",
    "Pipeline",
    "PipelinePlan",
    "Plan",
    "Result",
    "SolverInfo",
    "SolverOptions",
    "Termination",
    "UnsupportedError",
    "Violation",
    "certificate",
    "check",
    "plan_document",
    "read_instance",
    "read_plan",
    "solve",
    "write_instance",
    "write_plan",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("harpagon")
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'harpagon' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
