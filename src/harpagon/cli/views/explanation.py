"""An explanation as lines of text and as a JSON document."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.machines import machine_lines
from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.explain import critical_paths, limit_use

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.result import Result
    from harpagon.solvers.sensitivity.changes import Change
    from harpagon.solvers.sensitivity.explain import Explanation, PathReport
    from harpagon.solvers.sensitivity.remedies import PracticalSlo, Remedy
    from harpagon.solvers.sensitivity.worth import Worth

_NAMES = {"slo": "slo_ms", "rate": "rate_rps", "machines": "limit"}
"""Kind of a change to the key of an instance file that it changes."""
_STEPS = "cost moves in steps: `harpagon curve` finds the next one"
_NO_STEPS = "fractional billing: cost also moves between steps, as partly used machines work faster or slower"


def explanation_lines(instance: Instance, explanation: Explanation) -> list[Text]:
    """What to print."""
    plan = explanation.result.plan
    lines = _reasons(instance, explanation) if plan is None else _binding_lines(instance, plan)
    lines += _remedy_lines(instance, explanation) if plan is None else _worth_lines(instance, explanation)
    if not explanation.complete:
        lines.append(Text("the time limit left some questions open: raise it with --time-limit", "yellow"))
    return lines


def _reasons(instance: Instance, explanation: Explanation) -> list[Text]:
    lines = [line for report in explanation.paths if not report.feasible for line in _path_lines(report)]
    if lines:
        return lines
    limits = [f"{name} {h.limit}" for name, h in instance.hardware.items() if h.limit is not None]
    lines = [Text("every path could meet its SLO with enough machines: the hardware limits leave no plan")]
    return [*lines, Text(f"  limits: {', '.join(limits)}"), *_shortage_lines(explanation)]


def _shortage_lines(explanation: Explanation) -> list[Text]:
    """Which limit binds: one whose increase alone gives a plan."""
    binding = [r for r in explanation.remedies if r.change.kind == "machines"]
    alone = [r for r in binding if len(r.change.targets) == 1]
    if alone:
        return [Text(f"  {r.change.targets[0]} binds: {_count(r.steps)} would do") for r in alone]
    return [Text(f"  {' and '.join(r.change.targets)} bind together: {_count(r.steps)} of each") for r in binding]


def _count(machines: int) -> str:
    return f"{machines} more machine{'' if machines == 1 else 's'}"


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


def _remedy_lines(instance: Instance, explanation: Explanation) -> list[Text]:
    if not explanation.remedies:
        found = "gives" if explanation.complete else "was found in time to give"
        return [Text(f"no looser SLO, lower rate or higher limit alone {found} a plan")]
    proven = all(remedy.smaller.termination is Termination.INFEASIBLE for remedy in explanation.remedies)
    less = "a step less was proven to give none" if proven else "whether a step less would do was not always settled"
    lines = [Text(f"smallest single changes that give a plan, each solved again; {less}:")]
    for remedy in explanation.remedies:
        lines.append(Text.assemble("  ", (change_words(instance, remedy.change, remedy.steps), "bold"), _cost(remedy)))
        if remedy.practical is not None:
            lines.append(_practical_line(instance, remedy.change, remedy.practical))
    return lines


def _cost(remedy: Remedy) -> str:
    plan = remedy.result.plan
    assert plan is not None, "a remedy has a plan"
    machines = sum(part.machines for p in plan.pipelines for m in p.modules.values() for part in m.tuples)
    return f"  ${plan.cost:.4f}/h, {machines:g} machines"


def _practical_line(instance: Instance, change: Change, practical: PracticalSlo) -> Text:
    plan = practical.result.plan
    cost = math.nan if plan is None else plan.cost
    words = change_words(instance, change, practical.steps)
    return Text(
        f"    absurdly many machines, since latencies near the smallest need them; more practical: {words}  "
        f"${cost:.4f}/h (${practical.loose_cost:.4f}/h without an SLO)"
    )


def change_words(instance: Instance, change: Change, steps: int) -> str:
    """A change in words, with the values before and after."""
    before, after = change.values(instance, 0), change.values(instance, steps)
    pairs = [f"{_NAMES[change.kind]} of {name} {before[name]:g} -> {after[name]:.10g}" for name in after]
    return ", ".join(pairs)


def _binding_lines(instance: Instance, plan: Plan) -> list[Text]:
    lines = [Text.assemble(("feasible", "bold green"), f"  the plan costs ${plan.cost:.4f}/h")]
    paths = critical_paths(instance, plan)
    for pipeline in plan.pipelines:
        slack = pipeline.slo - pipeline.latency
        lines += [
            Text.assemble((pipeline.name, "bold"), f": {_ms(pipeline.latency)} of {_ms(pipeline.slo)} SLO, ")
            + Text(f"{_ms(slack)} unused"),
            *(Text(f"  critical path {' -> '.join(path)}") for path in paths[pipeline.name]),
        ]
    for name, (used, limit) in limit_use(instance, plan).items():
        state = "all in use" if used > limit - 1e-6 else "not binding" if used <= limit - 1 else "less than one left"
        lines.append(Text(f"limit of {name}: {used:g} of {limit} machines, {state}"))
    return [*lines, *machine_lines(instance, plan)]


def _worth_lines(instance: Instance, explanation: Explanation) -> list[Text]:
    lines = [Text("worth, each solved again:")]
    for worth in explanation.worths:
        words = change_words(instance, worth.change, worth.steps)
        lines.append(Text(f"  {words}: {_saving(worth)}"))
    return [*lines, Text(_STEPS if explanation.moves_in_steps else _NO_STEPS, "dim")]


def _saving(worth: Worth) -> str:
    if abs(worth.saving) < 1e-9:
        return "saves nothing"
    return f"saves ${worth.saving:.4f}/h" if worth.saving > 0 else f"costs ${-worth.saving:.4f}/h more"


def explanation_document(instance: Instance, explanation: Explanation) -> dict[str, object]:
    """The same as a JSON document."""
    plan = explanation.result.plan
    document: dict[str, object] = {
        "instance": instance.name,
        "feasible": explanation.feasible,
        "complete": explanation.complete,
        "status": str(explanation.result.termination),
        "cost_per_hour": None if plan is None else plan.cost,
        "pipelines": [_path_document(report) for report in explanation.paths],
    }
    if plan is None:
        return document | {"remedies": [_remedy_document(instance, remedy) for remedy in explanation.remedies]}
    limits = {name: {"machines": used, "limit": limit} for name, (used, limit) in limit_use(instance, plan).items()}
    return document | {
        "critical_paths": critical_paths(instance, plan),
        "latency_ms": {pipeline.name: pipeline.latency * 1e3 for pipeline in plan.pipelines},
        "limits": limits,
        "worth": [_worth_document(instance, worth) for worth in explanation.worths],
    }


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


def _change_document(instance: Instance, change: Change, steps: int, result: Result) -> dict[str, object]:
    key = _NAMES[change.kind]
    return {
        "change": key,
        "from": change.values(instance, 0),
        "to": change.values(instance, steps),
        "status": str(result.termination),
        "cost_per_hour": result.objective,
    }


def _remedy_document(instance: Instance, remedy: Remedy) -> dict[str, object]:
    document = _change_document(instance, remedy.change, remedy.steps, remedy.result)
    document["a_step_less"] = {
        "to": remedy.change.values(instance, remedy.steps - 1),
        "status": str(remedy.smaller.termination),
    }
    if remedy.practical is not None:
        practical = remedy.practical
        document["practical"] = _change_document(instance, remedy.change, practical.steps, practical.result)
    return document


def _worth_document(instance: Instance, worth: Worth) -> dict[str, object]:
    document = _change_document(instance, worth.change, worth.steps, worth.result)
    return document | {"saving_per_hour": worth.saving}


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.6g} ms"
