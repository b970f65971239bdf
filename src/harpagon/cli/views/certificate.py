"""What a result proves, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.formulations.physics import keeps_streams
from harpagon.formulations.problem import own_promise

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.solvers.result import Result


def certificate_view(instance: Instance, result: Result, plan: Plan) -> list[Text]:
    """Lines that say what the plan costs, what was proven, what ran and how long."""
    start = result.solver.options.get("start", "none")
    return [
        Text.assemble((f"${plan.cost:.4f}/h", "bold"), f"  {result.verdict}"),
        *([] if start == "none" else [Text(f"plan to start from: {start}")]),
        *(_promise(instance, planned, plan.spare) for planned in plan.pipelines if keeps_streams(plan.dispatch)),
        Text(f"{plan.billing} billing, {plan.dispatch} dispatch; checked independently"),
        Text(f"{_solver(result)}: {result.times}", "dim"),
    ]


def _promise(instance: Instance, planned: PipelinePlan, spare: int) -> Text:
    """When the last result of a paced pipeline is out, and for which arrivals that holds."""
    pipeline = next(pipeline for pipeline in instance.pipelines if pipeline.name == planned.name)
    promise = planned.promise or own_promise(pipeline)
    stated = any(module.pace is not None and module.pace.dispatcher == "server" for module in planned.modules.values())
    proviso = ", as far as servers keep their stated latency" if stated else ""
    machines = "machine" if spare == 1 else "machines"
    proviso += f", with any {spare} {machines} of every module gone" if spare else ""
    whom = f"every request of {promise.arrivals} and every stream" if promise.arrivals else "every stream"
    return Text(
        f"{planned.name}: every result is out {planned.latency * 1e3:.4g} ms after its request, for {whom} of at most "
        f"{promise.burst:.6g} + {promise.rate:.6g} x requests in any window of x seconds{proviso}"
    )


def _solver(result: Result) -> str:
    solver = f"{result.solver.name} {result.solver.version}"
    return solver if result.solver.name == result.method else f"{result.method} ({solver})"


def no_plan_view(result: Result) -> Text:
    """One line that says why there is no plan."""
    return Text.assemble(("no plan", "bold red"), f"  {result.method} {result.verdict}")


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
