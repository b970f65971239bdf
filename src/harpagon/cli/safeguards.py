"""Room in a plan: for the last request with even arrivals (guard), and for random arrivals (headroom)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from harpagon.cli.console import note
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_LARGEST_HEADROOM = 8.0


def with_headroom(instance: Instance, headroom: float) -> Instance:
    """The instance with its rates times 1 + ``headroom``; a bad figure is a usage error."""
    if not 0 <= headroom <= _LARGEST_HEADROOM:
        raise typer.BadParameter("give a fraction from 0 to 8, such as 0.2", param_hint="--headroom")
    if headroom == 0:
        return instance
    from harpagon.simulation.headroom import scaled

    note(f"planned for {1 + headroom:g} times the rates, a utilisation of {1 / (1 + headroom):.1%}")
    return scaled(instance, headroom)


def solve_guarded(
    instance: Instance, method: str, billing: Billing | None, dispatch: Dispatch | None, options: SolverOptions
) -> Result:
    """A guarded plan with the bound of the plain plan, which holds for it too: every guarded plan is a plan."""
    from harpagon.cli.views.progress import solve_progress
    from harpagon.simulation.dispatch.dispatchers import SAFE
    from harpagon.simulation.guard import guarded_plan
    from harpagon.solvers.methods import find_method, solve

    policy = dispatch or find_method(method).default_dispatch
    if policy not in SAFE:
        raise typer.BadParameter(f"needs --dispatch tc-safe or edf, not {policy}", param_hint="--guard")
    if options.start is not None:
        raise typer.BadParameter("goes without --guard, which plans several times", param_hint="--start")
    results: list[Result] = []

    with solve_progress() as progress:
        options = replace(options, progress=progress)

        def planner(instance: Instance) -> Plan | None:
            results.append(solve(instance, method, billing, policy, options))
            return results[-1].plan

        return _guarded_result(guarded_plan(instance, planner), results)


def _guarded_result(plan: Plan | None, results: list[Result]) -> Result:
    """The result of the first round, which planned without a guard, restated for ``plan``."""
    from harpagon.solvers.models.model_method import PROOF_TOLERANCE
    from harpagon.solvers.result import Termination

    plain = replace(results[0], solve_time=sum(result.solve_time for result in results))
    if plan is None:
        return plain if plain.plan is None else replace(plain, plan=None, termination=Termination.LIMIT)
    proven = plan.cost <= plain.dual_bound * (1 + PROOF_TOLERANCE)
    return replace(plain, plan=plan, termination=Termination.OPTIMAL if proven else Termination.FEASIBLE)
