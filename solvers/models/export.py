"""Write a linear model as an LP or MPS file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.formulations.planning.linear_program import pyomo_model
from harpagon.formulations.planning.pattern import build_pattern
from harpagon.formulations.residual import has_curves
from harpagon.instances.files.writing import replacing
from harpagon.instances.policies import Billing
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.methods import METHODS, find_method, require_support
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.models.opened import tangent_build
from harpagon.solvers.models.pattern import pattern_data
from harpagon.solvers.models.structures import tight_structure_program
from harpagon.solvers.models.tangents import tight_model
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.shared.assignment import assignment_model

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from pyomo.environ import ConcreteModel

    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.options import SolverOptions

_FORMATS = {"lp": "cpxlp", "mps": "mps"}


def write_model(
    instance: Instance,
    formulation: str,
    billing: Billing,
    dispatch: Dispatch,
    path: Path,
    file_format: Literal["lp", "mps"],
    options: SolverOptions = DEFAULT_OPTIONS,
) -> None:
    """Write the model of a linear formulation; its optimum is the optimum of the instance.

    Models with tangents are solved first, within ``options``, so that the file holds the tangents that count.

    Parameters
    ----------
    instance
        What to plan.
    formulation
        Name of a method whose `Capabilities` say that it is linear.
    billing, dispatch
        The case.
    path
        File to write.
    file_format
        "lp" or "mps".

    Raises
    ------
    UnsupportedError
        Where the formulation is not linear, does not support the case, or the instance has no plan to write down.
    """
    linear = tuple(name for name, method in METHODS.items() if method.capabilities.linear)
    if formulation not in linear:
        raise UnsupportedError(formulation, "an LP or MPS file: it has no linear model", linear)
    require_support(find_method(formulation), instance, billing, dispatch)
    model = linear_model(instance, formulation, billing, dispatch, options)
    with replacing(path) as unfinished:
        model.write(str(unfinished), format=_FORMATS[file_format], io_options={"symbolic_solver_labels": True})


def linear_model(
    instance: Instance,
    formulation: str,
    billing: Billing,
    dispatch: Dispatch,
    options: SolverOptions = DEFAULT_OPTIONS,
) -> ConcreteModel:
    """Pyomo model of a linear formulation with the tangents that hold its optimum up."""
    if billing is Billing.SHARED:
        return assignment_model(instance, options)
    start = first_start(instance, billing, dispatch, options)
    task = start.task
    if start.known is False:
        raise UnsupportedError(formulation, "an instance without any plan", ())
    if formulation != "pattern":
        return tight_model(tangent_build(find_method(formulation)), task)
    if has_curves(billing, dispatch):
        program = tight_structure_program(task)
        model = None if program is None else pyomo_model(program, formulation)
    else:
        data = pattern_data(task)
        model = None if data is None else build_pattern(data)
    if model is None:
        raise UnsupportedError(formulation, f"an instance without a plan within {task.budget:.6g} $/h", ())
    return model
