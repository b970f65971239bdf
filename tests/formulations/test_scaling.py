"""Programs in other units: the same program, and no false bound where times are short."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harpagon.formulations.planning.linear_program import Row, program_of_rows
from harpagon.formulations.planning.scaling import scaled
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import find_method
from harpagon.solvers.options import SolverOptions
from harpagon.solvers.result import Termination
from studies.agreement import Sample

SIZES = st.floats(-12, 12).map(lambda power: 10**power)
COEFFICIENTS = st.one_of(st.just(0.0), SIZES, SIZES.map(lambda size: -size))


@given(st.data())
def test_a_scaled_program_has_the_same_rows_and_costs(data: st.DataObject) -> None:
    columns = [
        (f"x{j}", data.draw(COEFFICIENTS), data.draw(st.one_of(st.just(math.inf), SIZES)), data.draw(st.booleans()))
        for j in range(3)
    ]
    entries = [{j: data.draw(COEFFICIENTS) for j in range(3)} for _ in range(3)]
    program = program_of_rows(columns, [Row(f"row{i}", -1.0, 1.0, own) for i, own in enumerate(entries)])
    other, units = scaled(program)
    assert (units[program.integer] == 1).all()
    assert np.array_equal(other.costs / units, program.costs)
    assert np.array_equal(other.column_upper * units, program.column_upper)
    values, others = (one.values.reshape(3, 3) for one in (program, other))
    for i in range(3):
        factor = other.row_upper[i]
        assert other.row_lower[i] == -factor
        assert np.array_equal(others[i], values[i] * units * factor)
        assert not values[i].any() or 0.5 < abs(others[i]).max() < 2


@pytest.mark.parametrize(
    ("method", "number", "dispatch"),
    [
        ("compact", 0, Dispatch.TC_SAFE),
        ("levels", 0, Dispatch.TC_SAFE),
        ("disjunctive-hull", 3, Dispatch.TC),
        ("disjunctive-bigm", 3, Dispatch.PER_CONFIG),
    ],
)
def test_times_of_microseconds_leave_no_false_bound(method: str, number: int, dispatch: Dispatch) -> None:
    """In seconds, rows were kept to a ten-thousandth of an SLO, and bounds were up to 0.008 % too high."""
    instance = Sample(4001, 12, family="short", pipelines=2, limits=True, machines=2.0, modules=3).draw(number)
    case = instance, Billing.FRACTIONAL, dispatch, SolverOptions()
    optimum = find_method("exact").run(*case).objective
    found = find_method(method).run(*case)
    assert found.termination is Termination.OPTIMAL
    assert found.dual_bound == pytest.approx(optimum, rel=2e-7)
