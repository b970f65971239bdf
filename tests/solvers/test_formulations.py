"""Opened formulations: built, looked at, given further rows, solved to plans that the checker accepts."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from pyomo.environ import Binary, Constraint, Objective, Var

import harpagon
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.formulations import formulation
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.models.opened import OpenModel
from studies.agreement import Sample

OPENED = [name for name, method in METHODS.items() if method.opens]
SAMPLE = Sample(5, 40, limits=True)


def two_types(built: OpenModel, most: int = 2) -> None:
    """At most ``most`` machine types in the fleet."""
    model, types = built.model, list(built.instance.hardware)

    def member(_: object, m: int, c: int) -> object:
        used = model.uses[m, c] if built.method in ("compact", "levels") else model.used[m, c].binary_indicator_var
        return used <= model.in_fleet[built.configuration(m, c).hardware]

    def residual(_: object, m: int, c: int) -> object:
        return model.has_residual[m, c] <= model.in_fleet[built.configuration(m, c).hardware]

    model.in_fleet = Var(types, domain=Binary)
    model.member = Constraint(built.keys, rule=member)
    if built.billing is Billing.FRACTIONAL:
        model.residual_member = Constraint(built.keys, rule=residual)
    model.few_types = Constraint(expr=sum(model.in_fleet[name] for name in types) <= most)


def cheapest_of_types(instance: Instance, billing: Billing, most: int) -> float:
    """Cheapest plan over all choices of ``most`` machine types: the referee of `two_types`."""
    from dataclasses import replace

    costs, used = [], {data["model"] for pipe in instance.pipelines for _, data in pipe.graph.nodes(data=True)}
    for kept in combinations(instance.hardware, min(most, len(instance.hardware))):
        profiles = {model: tuple(c for c in instance.profiles[model] if c.hardware in kept) for model in used}
        if all(profiles.values()):
            hardware = {name: instance.hardware[name] for name in kept}
            narrow = replace(instance, hardware=hardware, profiles=profiles)
            costs.append(solve(narrow, "exact", billing, Dispatch.TC).objective or math.inf)
    return min(costs, default=math.inf)


@pytest.mark.parametrize("name", OPENED)
@pytest.mark.parametrize("number", [0, 3, 6, 9, 12])
def test_without_further_rows_it_has_the_optimum_of_its_method(name: str, number: int) -> None:
    instance = SAMPLE.draw(number)
    for billing in METHODS[name].capabilities.billings:
        if name == "pattern" and billing is Billing.FRACTIONAL:
            with pytest.raises(harpagon.UnsupportedError, match="where frontiers are curves; use compact"):
                formulation(name).build(instance, billing=billing, dispatch="tc")
            continue
        expected = solve(instance, "exact", billing, Dispatch.TC)
        if expected.plan is None:
            continue
        result = formulation(name).build(instance, billing=billing, dispatch="tc").solve()
        assert result.plan is not None
        assert result.objective == pytest.approx(expected.objective)
        assert result.dual_bound <= result.plan.cost and harpagon.check(instance, result.plan).ok
        if name != "cp-sat":
            assert result.termination is harpagon.Termination.OPTIMAL


@pytest.mark.parametrize("name", ["compact", "levels", "disjunctive-hull"])
def test_a_row_on_machine_types_binds_and_is_solved_to_optimality(name: str) -> None:
    bound = dict.fromkeys(APART, 0)
    for number in (0, 2, 3, 4, 8, 9, 16, 23):
        instance = SAMPLE.draw(number)
        for billing in APART:
            free = solve(instance, "exact", billing, Dispatch.TC)
            if free.plan is None or len(instance.hardware) < 2:
                continue
            built = formulation(name).build(instance, billing=billing, dispatch="tc")
            two_types(built, most=1)
            result, expected = built.solve(), cheapest_of_types(instance, billing, 1)
            if expected > built.budget:
                assert result.plan is None and result.termination is harpagon.Termination.LIMIT
                assert result.dual_bound == built.budget
                continue
            assert result.plan is not None and harpagon.check(instance, result.plan).ok
            assert result.objective == pytest.approx(expected)
            assert result.dual_bound == pytest.approx(expected)
            bound[billing] += expected > free.plan.cost * (1 + 1e-6)
    assert min(bound.values()) >= 3, "the row binds where there is a plan"


def test_tangents_are_added_where_the_policy_makes_tuples_wait() -> None:
    rows = 0
    for number in range(8):
        instance = SAMPLE.draw(number)
        for billing in APART:
            expected = solve(instance, "exact", billing, Dispatch.TC_SAFE)
            if expected.plan is None:
                continue
            built = formulation("compact").build(instance, billing=billing, dispatch="tc-safe")
            before = built.sizes().rows
            assert built.solve().objective == pytest.approx(expected.objective)
            rows += built.sizes().rows - before
    assert rows > 0


def test_a_row_for_cp_sat(worked_example: Instance) -> None:
    built = formulation("cp-sat").build(worked_example, billing="whole", dispatch="tc")
    big = [key for key in built.keys if built.configuration(*key).batch == 32]
    built.model.add(sum(built.machines[key] for key in big) <= 2)  # type: ignore[attr-defined]
    result = built.solve()
    assert result.plan is not None and harpagon.check(worked_example, result.plan).ok
    machines = {part.configuration.batch: part.machines for part in result.plan.pipelines[0].modules["detect"].tuples}
    assert machines.get(32, 0) <= 2 and result.plan.cost > 5.0


def test_beside_added_rows_pattern_claims_no_more_than_its_columns_prove(worked_example: Instance) -> None:
    built = formulation("pattern").build(worked_example, billing="whole", dispatch="tc")
    free = built.solve()
    assert free.plan is not None and free.termination is harpagon.Termination.OPTIMAL
    for k in range(len(list(built.model.pick))):
        if built.column(0, k).cost == free.plan.cost:  # type: ignore[attr-defined]
            built.model.add_component(f"without_{k}", Constraint(expr=built.model.pick[0, k] == 0))
    result = built.solve()
    assert result.plan is not None and result.plan.cost > free.plan.cost
    assert result.termination is harpagon.Termination.FEASIBLE and result.dual_bound <= free.plan.cost


def test_sizes_and_relaxation_follow_the_model(worked_example: Instance) -> None:
    built = formulation("compact").build(worked_example, billing="whole")
    sizes, relaxation = built.sizes(), built.relaxation()
    assert sizes.rows > 0 and sizes.integers == 6 and sizes.nonzeros > sizes.columns
    assert 0 < relaxation <= 5.0 + 1e-6
    tighter = formulation("compact").build(worked_example, billing="whole", budget=5.0)
    assert tighter.relaxation() >= relaxation - 1e-9 and tighter.solve().objective == pytest.approx(5.0)
    built.model.most = Constraint(expr=sum(built.model.machines[key] for key in built.keys) >= 7)
    assert built.sizes().rows == sizes.rows + 1 and built.relaxation() >= 7.0 - 1e-6
    assert built.modules == (("example", "detect"),)


def test_what_cannot_be_opened_or_solved_says_so(worked_example: Instance) -> None:
    compact = formulation("compact")
    with pytest.raises(harpagon.InputError, match=r'"exact" is no model that can be opened. Use pattern, compact'):
        formulation("exact")
    with pytest.raises(harpagon.InputError, match=r"there is no method of this name. Did you mean compact"):
        formulation("compac")
    with pytest.raises(harpagon.UnsupportedError, match="compact does not support fractional billing under edf"):
        compact.build(worked_example, dispatch="edf")
    with pytest.raises(harpagon.InputError, match="budget: is 0"):
        compact.build(worked_example, budget=0)
    with pytest.raises(harpagon.UnsupportedError, match="a linear relaxation"):
        formulation("cp-sat").build(worked_example, billing="whole").relaxation()
    built = compact.build(worked_example)
    built.model.square = Constraint(expr=built.model.machines[0, 0] ** 2 <= 4)
    with pytest.raises(harpagon.InputError, match="square: this row is not linear"):
        built.solve()
    built.model.square.deactivate()
    built.model.cost.deactivate()
    built.model.other = Objective(expr=built.model.machines[0, 0])
    with pytest.raises(harpagon.InputError, match="the objective was changed"):
        built.solve()


def test_a_time_limit_returns_what_is_held(worked_example: Instance) -> None:
    result = formulation("compact").build(worked_example).solve(time_limit=0)
    assert result.plan is None and result.termination is harpagon.Termination.LIMIT
    assert result.dual_bound <= 5.0
