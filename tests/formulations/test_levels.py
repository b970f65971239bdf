"""The level model: its floors hold, and make its relaxation tighter."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest

from harpagon.instances.library.suites import spread, suite
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.exact.effort import Effort
from harpagon.solvers.formulations import formulation
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.models.levels import module_levels
from studies.agreement import Sample, Tally, compare
from studies.formulations import FLOORS, level_worth


@pytest.mark.parametrize("billing", [Billing.WHOLE, Billing.FRACTIONAL])
def test_tight_objectives_have_the_optimum_of_brute_force(billing: Billing) -> None:
    counts = Tally()
    cases = [case for case in sorted(METHODS["levels"].capabilities.cases) if case[0] is billing]
    sample = Sample(9, 3, machines=2.0, modules=2, limits=True, family="tight")
    assert all(number >= 0 for number in compare(sample, ["levels"], cases, counts, patience=60.0))
    assert counts.disagreements == [] and sum(counts.agreed.values()) == 3 * len(cases)


def test_no_plan_is_below_the_floor_of_its_level() -> None:
    """Whatever plan is optimal, each of its modules lies on a level and costs no less than the floor."""
    met = 0
    for number in range(0, 24, 3):
        instance = Sample(5, 24).draw(number)
        plan = solve(instance, "exact", Billing.WHOLE, Dispatch.TC).plan
        if plan is None:
            continue
        built = formulation("levels").build(instance, billing="whole", dispatch="tc")
        levels = module_levels(built._data, Effort())
        for own, (pipeline, module) in zip(levels, built.modules, strict=True):
            planned = next(p for p in plan.pipelines if p.name == pipeline).modules[module]
            assert any(one.shortest <= planned.latency + 1e-9 and one.floor <= planned.cost * (1 + 1e-9) for one in own)
            assert all(a.floor <= b.floor and a.shortest >= b.longest for a, b in pairwise(own))
            met += len(own) > 1
    assert met >= 5


def test_stronger_floors_make_the_relaxation_tighter() -> None:
    found = [level_worth(instance, Billing.WHOLE, Dispatch.TC, 1.0) for instance in spread(suite("smoke"), 5)]
    for weaker, stronger in pairwise(FLOORS):
        assert all(one[weaker] <= one[stronger] + 1e-6 for one in found)
    assert all(one["the cheapest schedule: levels"] <= 1 + 1e-6 for one in found)
    assert statistics.median(one["the cheapest schedule: levels"] for one in found) > 0.85
    assert statistics.median(one["none: compact"] for one in found) < 0.85
