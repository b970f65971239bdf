"""Plans with machines in spare: the cheapest, by enumeration; in time whichever machine is lost."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from paced_cases import random_module

import harpagon
from harpagon.formulations.checker import check
from harpagon.formulations.problem import ModuleProblem
from harpagon.instances.files.plans import plan_document, plan_from_document
from harpagon.instances.library.shipped import resolve
from harpagon.instances.plan import DispatchTuple
from harpagon.instances.policies import Billing, Dispatch
from harpagon.simulation.dispatch.conditions import Conditions
from harpagon.simulation.dispatch.machines import Fault
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.certificates import certificate
from harpagon.solvers.enumeration.schedules import Rules, module_options
from harpagon.solvers.exact.schedule import cheapest_schedule
from harpagon.solvers.methods import solve
from studies.agreement import Sample

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import ModulePlan, Plan

RULES = Rules((), {}, Billing.WHOLE, Dispatch.PACED, math.inf)
SAMPLE = Sample(5, 12)


def module(seed: int) -> tuple[ModuleProblem, float]:
    rng = random.Random(seed)
    problem, budget = random_module(rng, 0.3, 1.3, (1.2, 6))
    return replace(problem, spare=rng.choice((0, 1, 1, 2))), budget


def test_no_schedule_of_a_module_is_cheaper() -> None:
    several = 0
    for seed in range(300):
        problem, budget = module(seed)
        best = cheapest_schedule(problem, budget, Billing.WHOLE, Dispatch.PACED)
        assert best is not None
        listed = module_options(RULES, problem, problem.configurations, best.cost)
        least = min(option.cost for option in listed if option.latency <= budget * (1 + 1e-12))
        assert best.cost == pytest.approx(least), seed
        assert all(part.machines > problem.spare for part in best.schedule)
        several += len(best.schedule) > 1
    assert several > 5


@pytest.mark.parametrize("number", range(12))
def test_exact_and_enumeration_agree(number: int) -> None:
    instance = SAMPLE.draw(number).with_spare(1 + number % 2)
    plans = [solve(instance, method, Billing.WHOLE, Dispatch.PACED).plan for method in ("exact", "brute-force")]
    assert plans[0] is not None and plans[1] is not None
    assert plans[0].cost == pytest.approx(plans[1].cost)
    assert plans[0].spare == instance.pipelines[0].spare


@dataclass(frozen=True, slots=True)
class Lost(Conditions):
    """``count`` machines of one tuple of a module are lost."""

    module: str = ""
    place: int = 0
    count: int = 1

    def faults(self, module: str, plan: ModulePlan, time: float) -> tuple[Fault, ...]:
        lost = [self.count if (module, place) == (self.module, self.place) else 0 for place in range(len(plan.tuples))]
        return tuple(Fault(time, 0.0, machines) for machines in lost)


def late_after(instance: Instance, plan: Plan, count: int) -> dict[tuple[str, int], int]:
    """Late results where so many machines of each tuple are lost in turn."""
    tuples = [(name, place) for name, m in plan.pipelines[0].modules.items() for place in range(len(m.tuples))]
    found = {}
    for name, place in tuples:
        lost = Lost(losses={name: count}, module=name, place=place, count=count)
        report = harpagon.simulate(instance, plan, "slow:0.1", duration=20, conditions=lost)
        found[name, place] = report.pipelines[0].late
        assert report.pipelines[0].promised == (count <= plan.spare)
    return found


@pytest.mark.parametrize("spare", [1, 2])
@pytest.mark.parametrize("name", ["traffic-198rps", "pose-700rps-60ms", "face-100rps-49ms-V100+A100"])
def test_any_machine_may_be_lost(name: str, spare: int) -> None:
    instance = resolve(name)
    plan = harpagon.solve(instance, billing="whole", spare=spare).plan
    assert plan is not None
    assert (plan.spare, plan.instance_digest) == (spare, instance.digest())
    assert check(instance, plan).ok
    assert set(late_after(instance, plan, spare).values()) == {0}


def test_tuples_of_several_kinds_may_lose_machines() -> None:
    """Two tuples over open batches, both with a machine in spare."""
    model = harpagon.Model("several", billing="whole")
    model.add_hardware("large", price_per_hour=4)
    model.add_hardware("small", price_per_hour=1)
    model.add_profile("m", "large", {32: 800})
    model.add_profile("m", "small", {8: 250})
    model.add_module(model.add_pipeline("p", rate_rps=198, slo_ms=2500), "a", model="m")
    instance = model.instance().with_spare(1)
    large, small = sorted(instance.profiles["m"], key=lambda c: -c.batch)
    schedule = [DispatchTuple.full(large, 4, spare=1), DispatchTuple.full(small, 2, spare=1)]
    plan = harpagon.assemble(instance, {"p": {"a": schedule}}, Billing.WHOLE, Dispatch.PACED)
    assert check(instance, plan).ok
    assert plan.pipelines[0].modules["a"].pace.dispatcher == "open-batches"
    assert late_after(instance, plan, 1) == {("a", 0): 0, ("a", 1): 0}


def test_without_spare_machines_a_loss_makes_results_late() -> None:
    instance = resolve("traffic-198rps")
    plan = harpagon.solve(instance).plan
    assert plan is not None
    report = harpagon.simulate(instance, plan, duration=20, conditions=Conditions(losses={"detect": 1}))
    assert report.pipelines[0].late > 0
    assert report.kept


def test_more_machines_in_spare_never_cost_less() -> None:
    instance = resolve("traffic-198rps")
    costs = [harpagon.solve(instance, spare=spare).objective for spare in range(4)]
    assert costs == sorted(costs, key=float) and len(set(costs)) == 4


def test_a_plan_that_claims_more_spare_than_it_has_is_refused() -> None:
    instance = resolve("traffic-198rps")
    result = harpagon.solve(instance, spare=1)
    assert result.plan is not None
    assert not check(instance, replace(result.plan, spare=2)).ok
    assert not check(instance, replace(result.plan, spare=0)).ok
    document = plan_document(result.plan, certificate(result))
    assert check(instance, plan_from_document(document, instance, "plan")).ok
    document["pipelines"][0]["modules"]["detect"]["tuples"][0]["machines"] -= 1
    assert not check(instance, plan_from_document(document, instance, "plan")).ok


@pytest.mark.parametrize(("method", "dispatch"), [("exact", "edf"), ("harpagon", None), ("compact", None)])
def test_other_policies_have_no_spare_machines(method: str, dispatch: str | None) -> None:
    with pytest.raises(UnsupportedError, match="spare machines"):
        harpagon.solve(resolve("traffic-198rps"), method, dispatch=dispatch, spare=1)


def test_a_refused_method_is_not_named_as_the_way_out() -> None:
    with pytest.raises(UnsupportedError, match=r"fractional billing under paced dispatch; plan with --billing whole$"):
        harpagon.solve(resolve("worked-example"), "exact", billing="fractional", spare=1)
