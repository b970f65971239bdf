"""What a result proves, in the form that plan files carry."""

from __future__ import annotations

import math

from harpagon.instances.checks import expect
from harpagon.instances.files.plans import Certificate
from harpagon.solvers.result import Result


def certificate(result: Result) -> Certificate:
    """Certificate of a result, for `harpagon.write_plan` and `harpagon.plan_document`."""
    expect(Result, result=result)
    bound = result.dual_bound
    return Certificate(
        method=result.method,
        status=result.termination,
        lower_bound=bound if math.isfinite(bound) else None,
        gap=result.gap,
        build_s=result.build_time,
        solve_s=result.solve_time,
        solver={
            "name": result.solver.name,
            "version": result.solver.version,
            "options": dict(result.solver.options),
        },
    )
