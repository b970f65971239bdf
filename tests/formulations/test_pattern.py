"""The pattern model: Pyomo and arrays are one model; its relaxation; columns carry usage."""

from __future__ import annotations

import pytest

from harpagon.formulations.planning.linear_program import linear_program
from harpagon.formulations.planning.pattern import PatternData, build_pattern, pattern_program
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.solve import solve_exact
from harpagon.solvers.models.highs import relaxation_bound, solve_linear_program
from harpagon.solvers.models.model_method import first_start
from harpagon.solvers.models.pattern import pattern_data, solve_pattern
from harpagon.solvers.options import DEFAULT_OPTIONS
from studies.agreement import Sample

SAMPLE = Sample(3, 24, pipelines=3, limits=True)
IN_BUNDLES = Sample(3, 24, pipelines=3, limits=True, bundles=True)


def columns(number: int, dispatch: Dispatch, sample: Sample = SAMPLE) -> PatternData | None:
    task = first_start(sample.draw(number), Billing.WHOLE, dispatch, DEFAULT_OPTIONS).task
    return pattern_data(task)


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("sample", [SAMPLE, IN_BUNDLES], ids=["single", "bundles"])
def test_pyomo_and_arrays_agree(number: int, sample: Sample) -> None:
    data = columns(number, Dispatch.TC, sample)
    if data is None:
        found = solve_pattern(sample.draw(number), Billing.WHOLE, Dispatch.TC).objective
        assert found == pytest.approx(solve_exact(sample.draw(number), Billing.WHOLE, Dispatch.TC).objective)
        return
    readable, fast = linear_program(build_pattern(data)), pattern_program(data)
    assert (readable.rows, readable.columns) == (fast.rows, fast.columns)
    assert len(readable.values) == len(fast.values)
    first, second = (solve_linear_program(program, DEFAULT_OPTIONS) for program in (readable, fast))
    assert first.termination is second.termination
    assert first.dual_bound == pytest.approx(second.dual_bound)
    bounds = [relaxation_bound(program, DEFAULT_OPTIONS) for program in (readable, fast)]
    assert bounds[0] == pytest.approx(bounds[1])
    assert bounds[0] <= first.dual_bound * (1 + 1e-9)


@pytest.mark.parametrize("number", range(0, 12, 2))
def test_no_column_is_beaten_by_another(number: int) -> None:
    data = columns(number + 1, Dispatch.TC)
    for module in data.columns if data is not None else ():
        for one in module:
            for other in module:
                if one is not other:
                    better = [one.cost < other.cost, one.latency < other.latency]
                    better += [a < b for a, b in zip(one.usage, other.usage, strict=True)]
                    assert any(better) or one.cost == other.cost
