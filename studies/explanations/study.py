"""The explanations of twenty instances without a plan, as a table.

Run ``python -m studies.explanations.study`` for the table of the docs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harpagon.solvers.result import Termination
from harpagon.solvers.sensitivity.explain import explain
from studies.explanations.cases import cases

if TYPE_CHECKING:
    from harpagon.solvers.sensitivity.explain import Explanation
    from harpagon.solvers.sensitivity.remedies import Remedy
    from studies.explanations.cases import Case

_SECONDS = 300.0


def reason(case: Case, explanation: Explanation) -> str:
    """What leaves the case without a plan, in one line."""
    missed = [report for report in explanation.paths if not report.feasible]
    if missed:
        return "; ".join(
            f"{r.pipeline}: {' > '.join(r.path)} needs {'' if r.attained else 'over '}{r.reachable * 1e3:.6g} ms, "
            f"SLO {r.slo * 1e3:.6g} ms"
            for r in missed
        )
    limits = [f"{name} {h.limit}" for name, h in case.instance.hardware.items() if h.limit is not None]
    return f"limits {', '.join(limits)}"


def remedy_words(case: Case, remedy: Remedy) -> str:
    """A remedy with its cost, and whether it was re-checked from both sides."""
    before, after = remedy.change.values(case.instance, 0), remedy.change.values(case.instance, remedy.steps)
    pairs = ", ".join(f"{name} {before[name]:g} -> {after[name]:.10g}" for name in after)
    tight = remedy.result.plan is not None and remedy.smaller.termination is Termination.INFEASIBLE
    cost = f"${remedy.result.objective:.2f}/h" if remedy.result.plan is not None else "no plan"
    return f"{remedy.change.kind} {pairs} ({cost}{'' if tight else ', NOT THE SMALLEST'})"


def main() -> int:
    """Print one row per case in Markdown; returns 1 where a remedy is not the smallest or a case has none."""
    failed = False
    print("| | cause | what `explain` finds | smallest single changes, each solved; a step less is infeasible |")
    print("|---|---|---|---|")
    for number, case in enumerate(cases(), 1):
        found = explain(case.instance, case.instance.billing, case.dispatch, _SECONDS)
        words = [remedy_words(case, remedy) for remedy in found.remedies]
        failed |= not words or found.feasible or any("NOT" in word for word in words)
        print(f"| {number} | {case.cause} | {reason(case, found)} | {'; '.join(words)} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
