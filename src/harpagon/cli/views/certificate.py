"""What a result proves, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.result import Result


def certificate_view(result: Result, plan: Plan) -> list[Text]:
    """Lines that say what the plan costs, what was proven, what ran and how long."""
    start = result.solver.options.get("start", "none")
    return [
        Text.assemble((f"${plan.cost:.4f}/h", "bold"), f"  {_verdict(result)}"),
        *([] if start == "none" else [Text(f"plan to start from: {start}")]),
        Text(f"{plan.billing} billing, {plan.dispatch} dispatch; checked independently"),
        Text(f"{_solver(result)}: {_times(result)}", "dim"),
    ]


def _solver(result: Result) -> str:
    solver = f"{result.solver.name} {result.solver.version}"
    return solver if result.solver.name == result.method else f"{result.method} ({solver})"


def _times(result: Result) -> str:
    solved = f"solved in {duration(result.solve_time)}"
    return f"built in {duration(result.build_time)}, {solved}" if result.build_time else solved


def no_plan_view(result: Result) -> Text:
    """One line that says why there is no plan."""
    reasons = {
        Termination.INFEASIBLE: "proven: no plan exists",
        Termination.LIMIT: "found no plan, which does not prove that there is none",
    }
    return Text.assemble(("no plan", "bold red"), f"  {result.method} {reasons[result.termination]}")


def no_plan_document(instance: Instance, result: Result) -> dict[str, object]:
    """A result without a plan as a JSON document, with the keys of a plan file's certificate."""
    return {
        "instance": instance.name,
        "method": result.method,
        "status": result.termination.value,
        "cost_per_hour": None,
        "build_s": result.build_time,
        "solve_s": result.solve_time,
    }


def duration(seconds: float) -> str:
    """Seconds in a readable unit."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _verdict(result: Result) -> str:
    if result.termination is Termination.OPTIMAL:
        return f"optimal: no plan costs less than ${result.dual_bound:.4f}/h (gap {result.gap or 0.0:.2%})"
    if math.isinf(result.dual_bound):
        return "feasible; a heuristic proves no bound"
    return f"feasible: no plan costs less than ${result.dual_bound:.4f}/h (gap {result.gap or 0.0:.2%})"
