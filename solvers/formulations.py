"""Formulations by name, to open: build one for an instance, look at it, add rows, solve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from harpagon.instances.checks import expect, is_number
from harpagon.instances.errors import InputError, shown, suggestion
from harpagon.instances.instance import Instance
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.method import load
from harpagon.solvers.methods import METHODS, find_method, require_support

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.solvers.method import Method
    from harpagon.solvers.models.opened import OpenModel


@dataclass(frozen=True, slots=True)
class Formulation:
    """A mathematical model of the planning problem, by the row of its method."""

    method: Method

    def build(
        self,
        instance: Instance,
        *,
        billing: Billing | str | None = None,
        dispatch: Dispatch | str | None = None,
        budget: float | None = None,
    ) -> OpenModel:
        """Build the model of an instance.

        Parameters
        ----------
        instance
            What to plan.
        billing, dispatch
            The case; None for the billing of the instance and the method's default policy.
        budget
            Dollars per hour that plans in the model may cost; None for four times the cost of a first plan. Rows that
            are added may need more; a smaller budget makes a tighter model.

        Raises
        ------
        InputError
            Where there is no such billing or policy, or the budget is not above 0.
        UnsupportedError
            Where the formulation does not support the case, or the instance has no plan at all.
        """
        expect(Instance, instance=instance)
        if budget is not None and not (is_number(budget) and budget > 0):
            raise InputError("budget", "", f"is {budget}", "Give dollars per hour above 0")
        paid = instance.billing if billing is None else Billing.of(billing)
        policy = self.method.dispatch_for(paid) if dispatch is None else Dispatch.of(dispatch)
        require_support(self.method, instance, paid, policy)
        opener = cast("Callable[..., OpenModel]", load(f"solvers.{self.method.opens}"))
        return opener(self.method, instance, paid, policy, budget)


def formulation(name: str) -> Formulation:
    """Formulation of an exact method, such as ``compact``, ``disjunctive-hull``, ``pattern`` or ``cp-sat``.

    Raises
    ------
    InputError
        Where there is no such method, or it is no model that can be opened.

    Examples
    --------
    >>> import harpagon
    >>> built = harpagon.formulation("compact").build(harpagon.read_instance("worked-example"), billing="whole")
    >>> built.sizes().integers, round(built.relaxation(), 2) <= 5.0, built.solve().plan.cost
    (6, True, 5.0)
    """
    method = find_method(name)
    if not method.opens:
        known = [other.name for other in METHODS.values() if other.opens]
        problem = f"method {shown(name)} is no model that can be opened"
        raise InputError("formulation", "", problem, suggestion(name, known, f"Use {', '.join(known)}"))
    return Formulation(method)
