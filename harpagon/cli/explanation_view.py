"""An explanation as lines of text and as a JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.evaluation.explanation import critical_paths

if TYPE_CHECKING:
    from harpagon.evaluation.explanation import Explanation, PathReport
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan


def explanation_lines(instance: Instance, explanation: Explanation) -> list[Text]:
    """What to print."""
    if explanation.result.plan is not None:
        return _binding_lines(instance, explanation.result.plan)
    lines = [line for report in explanation.paths if not report.feasible for line in _path_lines(report)]
    return [*lines, *_remedy_lines(explanation)]


def _path_lines(report: PathReport) -> list[Text]:
    parts = [f"{name} {_ms(seconds)}" for name, seconds in report.latencies.items()]
    if report.transfer > 0:
        parts.append(f"transfers {_ms(report.transfer)}")
    bound = "takes at least" if report.attained else "takes more than"
    miss = f", {_ms(report.shortfall)} past" if report.shortfall > 0 else ", which it can approach but not reach:"
    return [
        Text.assemble((report.pipeline, "bold"), f": path {' -> '.join(report.path)}"),
        Text(f"  {bound} {_ms(report.reachable)} with any number of machines{miss} the SLO of {_ms(report.slo)}"),
        Text(f"  {' + '.join(parts)}"),
    ]


def _remedy_lines(explanation: Explanation) -> list[Text]:
    if explanation.remedied is None:
        return [Text("no looser SLO is known to help: the hardware limits leave no plan, or the time limit was hit")]
    changes = ", ".join(f"slo_ms of {name} = {seconds * 1e3:.1f}" for name, seconds in explanation.remedy.items())
    lines = [Text.assemble("smallest change, in steps of 0.1 ms: ", (changes, "bold"))]
    if explanation.remedied.plan is not None:
        lines.append(Text(f"  solved again with it: ${explanation.remedied.plan.cost:.4f}/h"))
    else:
        lines.append(Text("  solving again with it hit the time limit before a plan was found"))
    return lines


def _binding_lines(instance: Instance, plan: Plan) -> list[Text]:
    lines = [Text.assemble(("feasible", "bold green"), f"  the optimum costs ${plan.cost:.4f}/h")]
    paths = critical_paths(instance, plan)
    for pipeline in plan.pipelines:
        slack = pipeline.slo - pipeline.latency
        lines += [
            Text.assemble((pipeline.name, "bold"), f": critical path {' -> '.join(paths[pipeline.name])}"),
            Text(f"  {_ms(pipeline.latency)} of {_ms(pipeline.slo)} SLO, {_ms(slack)} unused"),
        ]
    return lines


def explanation_document(instance: Instance, explanation: Explanation) -> dict[str, object]:
    """The same as a JSON document."""
    plan = explanation.result.plan
    remedied = explanation.remedied
    document: dict[str, object] = {
        "instance": instance.name,
        "feasible": explanation.feasible,
        "cost_per_hour": None if plan is None else plan.cost,
        "pipelines": [_path_document(report) for report in explanation.paths],
        "remedy": {"slo_ms": {name: round(slo * 1e3, 6) for name, slo in explanation.remedy.items()}},
        "remedied_cost_per_hour": None if remedied is None or remedied.plan is None else remedied.plan.cost,
    }
    if plan is not None:
        document["critical_paths"] = critical_paths(instance, plan)
    return document


def _path_document(report: PathReport) -> dict[str, object]:
    return {
        "name": report.pipeline,
        "slo_ms": report.slo * 1e3,
        "path": list(report.path),
        "reachable_ms": report.reachable * 1e3,
        "attained": report.attained,
        "missing_ms": max(0.0, report.shortfall) * 1e3,
        "feasible": report.feasible,
    }


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.6g} ms"
