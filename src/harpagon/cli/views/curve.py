"""Curves as tables, as a JSON document and as files."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.tables import plain_table
from harpagon.instances.files.instances import write_json
from harpagon.instances.files.plans import plan_document
from harpagon.instances.files.writing import replacing
from harpagon.solvers.certificates import certificate
from harpagon.solvers.sensitivity.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.table import Table

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.sensitivity.curve import CurveStep

_UNITS = {"slo": "slo_ms", "rate": "rate_rps"}
_TITLES = {"slo": "cost over SLO", "rate": "cost over rate"}
_SHOWN_UNITS = {"slo": "ms", "rate": "req/s"}


def curve_tables(instance: Instance, curves: Mapping[str, Sequence[CurveStep]]) -> list[Table]:
    """One table per curve."""
    tables = []
    for over, steps in curves.items():
        scale = Curve.of(instance, over, steps).scale
        unit = _SHOWN_UNITS[over] if scale is not None else "as a factor on that of each pipeline"
        table = plain_table("from", "to", "$/h", "", "machines", left=(3, 4), title=f"{_TITLES[over]}, {unit}")
        for step in steps:
            ends = [f"{end * (scale or 1.0):.7g}" for end in (step.low, step.high)]
            proof = "proven" if step.proven else "not proven"
            table.add_row(*ends, f"{step.cost:.4f}", proof, Text(_machines(step.result.plan)))
        tables.append(table)
    return tables


def _machines(plan: Plan | None) -> str:
    """Machines of a plan by hardware type and batch size."""
    counts: dict[str, float] = {}
    for pipeline in plan.pipelines if plan is not None else ():
        for module in pipeline.modules.values():
            for part in module.tuples:
                name = f"{part.configuration.hardware} b={part.configuration.batch}"
                counts[name] = counts.get(name, 0.0) + part.machines
    return ", ".join(f"{count:.4g} x {name}" for name, count in sorted(counts.items()))


def curve_document(
    instance: Instance, curves: Mapping[str, Sequence[CurveStep]], *, complete: bool
) -> dict[str, object]:
    """Curves as a JSON document, the plan of every step included."""
    return {
        "instance": instance.name,
        "complete": complete,
        "curves": {over: [_step_document(instance, over, step) for step in steps] for over, steps in curves.items()},
    }


def _step_document(instance: Instance, over: str, step: CurveStep) -> dict[str, object]:
    plan = step.result.plan
    assert plan is not None, "a step has a plan"
    figures = {p.name: p.slo * 1e3 if over == "slo" else p.rate for p in instance.pipelines}
    return {
        "from": step.low,
        "to": step.high,
        _UNITS[over]: {name: [step.low * figure, step.high * figure] for name, figure in figures.items()},
        "cost_per_hour": step.cost,
        "proven": step.proven,
        "plan": plan_document(plan, certificate(step.result)),
    }


def write_curves(
    instance: Instance, curves: Mapping[str, Sequence[CurveStep]], folder: Path, *, complete: bool
) -> None:
    """Write ``curves.json``, ``curves.png`` and a CSV table per curve."""
    document = curve_document(instance, curves, complete=complete)
    write_json(folder / "curves.json", document)
    for over, steps in curves.items():
        with replacing(folder / f"{over}.csv") as path, path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["from", "to", "cost_per_hour", "proven", "machines"])
            writer.writerows([s.low, s.high, s.cost, s.proven, _machines(s.result.plan)] for s in steps)
    draw(instance, curves, folder / "curves.png")


def draw(instance: Instance, curves: Mapping[str, Sequence[CurveStep]], path: Path) -> None:
    """Write the figure."""
    from harpagon.evaluation.plotting.curve import draw_curves

    draw_curves([Curve.of(instance, over, steps) for over, steps in curves.items()], path)
