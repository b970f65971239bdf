"""Whole systems: their planners, what their controllers follow, the order of their queues."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harpagon.instances.errors import InputError
from harpagon.instances.instance import Configuration
from harpagon.instances.library.shipped import resolve
from harpagon.instances.library.slopt_pipelines import slopt_instance
from harpagon.instances.plan import DispatchTuple, ModulePlan
from harpagon.instances.policies import Billing
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.flow.fleet import Fleet
from harpagon.simulation.flow.order import Order
from harpagon.simulation.flow.server import Server
from harpagon.simulation.slopt.engine import Assignment, Observation
from harpagon.simulation.slopt.run import NoPlanError
from harpagon.simulation.slopt.systems.controller import RateController
from harpagon.simulation.slopt.systems.planners import plan_assignments
from harpagon.simulation.slopt.systems.policies import EnvelopeTuner, Epochs, LastSeconds, OnChange, RatePolicy
from harpagon.simulation.slopt.systems.system import SYSTEMS, find_system, run_system
from harpagon.simulation.slopt.tuning import TuningOptions
from harpagon.simulation.slopt.workload import generate_workload
from harpagon.solvers.methods import solve


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_every_system_accounts_for_every_request_within_the_fleet(name: str) -> None:
    workload = generate_workload("steps", 300.0, 12, 5)
    run = run_system(slopt_instance("social"), workload, name, TuningOptions(fleet=9), 5)
    assert run.arrived == run.finished + run.dropped + run.in_flight > 0
    for module in run.modules:
        assert module.arrived == module.finished + module.dropped + module.waiting
    assert max(sum(record.machines) for record in run.periods) <= 9
    assert run.dropped == 0 or SYSTEMS[name].drop is not Drop.NONE
    roomy = run_system(slopt_instance("social"), workload, name, TuningOptions(fleet=64, headroom=2.0), 5)
    assert roomy.attainment > max(run.attainment, 0.9)
    assert roomy.cost > run.cost


def test_a_planner_gives_the_configuration_that_serves_most_and_machines_for_the_whole_rate() -> None:
    instance = resolve("worked-example")
    plan = solve(instance, "exact", Billing.WHOLE).plan
    assert plan is not None
    (name,) = plan.pipelines[0].modules
    small, large = Configuration("gpu", 1, 0.1, 1.0), Configuration("gpu", 8, 0.4, 1.0)
    module = ModulePlan(95.0, (DispatchTuple.full(small, 2), DispatchTuple.full(large, 4)), (0.2, 0.5), 0.5, 5.0, 6.0)
    mixed = replace(plan, pipelines=(replace(plan.pipelines[0], modules={name: module}),))
    assert plan_assignments(instance, 95.0, lambda _: mixed) == [Assignment(large, 5, 0.5)]


def test_a_system_without_a_plan_says_so() -> None:
    instance = slopt_instance("video")
    hopeless = replace(instance, pipelines=(replace(instance.pipelines[0], slo=0.001),))
    with pytest.raises(NoPlanError, match="nexus has no plan"):
        plan_assignments(hopeless, 10.0, SYSTEMS["nexus"].planner)
    with pytest.raises(InputError, match="nexus"):
        find_system("nexsu")


def _follow(policy: RatePolicy, rates: list[float]) -> list[float]:
    """What a policy provisions for, after each second at these rates, arrivals evenly spaced."""
    found = policy.begin([rates[0]])[:0]
    for second, rate in enumerate(rates):
        times = (second + (np.arange(int(rate)) + 0.5) / rate).tolist()
        observation = Observation(second + 1.0, (times,), {}, (0.0,), (1,), 0)
        found += policy.observe(observation, [rate])
    return found


def test_epochs_take_the_mean_of_the_last_one() -> None:
    assert _follow(Epochs(4.0), [10, 20, 30, 40, 100, 100, 100, 100]) == [10, 10, 10, 25, 25, 25, 25, 100]


def test_the_last_seconds_count_by_their_largest() -> None:
    assert _follow(LastSeconds(3), [10, 50, 20, 20, 20]) == [10, 50, 50, 50, 20]


def test_a_plan_stands_until_the_load_has_changed_enough() -> None:
    assert _follow(OnChange(0.1, 1), [100, 105, 95, 120, 115, 100]) == [100, 100, 100, 120, 120, 100]


def test_the_tuner_scales_up_at_once_and_down_after_its_delay() -> None:
    followed = _follow(EnvelopeTuner(0.5, 2.0), [100.0] * 6 + [300.0] * 2 + [100.0] * 20)
    assert followed[:6] == [100.0] * 6
    assert followed[6] == pytest.approx(300.0, rel=0.02)
    down = next(k for k in range(8, len(followed)) if followed[k] < 200.0)
    assert down - 7 >= 6
    assert followed[-1] == pytest.approx(100.0)


def test_a_controller_takes_machines_for_the_rate_and_its_headroom_and_never_more_than_the_fleet() -> None:
    assignments = [Assignment(Configuration("gpu", 5, 0.5, 1.0), 1, 1.0)] * 2
    for fleet, machines in ((None, [12, 24]), (18, [6, 12]), (1, [1, 1])):
        options = TuningOptions(headroom=1.2, fleet=fleet)
        assert RateController(assignments, (1.0, 2.0), LastSeconds(), options).begin(100.0) == machines


def test_an_overloaded_queue_serves_the_largest_budgets_first_and_another_the_least() -> None:
    assert Order.ADAPTIVE.rank([3.0, 1.0, 2.0], overloaded=False) == [1, 2, 0]
    assert Order.ADAPTIVE.rank([3.0, 1.0, 2.0], overloaded=True) == [0, 2, 1]
    deadlines = [9.0, 5.0, 7.0, 6.0, 9.5, 9.6, 9.7, 9.8]
    server = Server(Fleet(1, 0.0), [0.0, 1.0, 1.0], Drop.NONE, deadlines, Order.ADAPTIVE)
    server.arrive(np.full(4, 0.1), np.arange(4))
    assert server.run(1.0).roots.tolist() == [1, 3]
    server.arrive(np.full(4, 1.05), np.arange(4, 8))
    assert server.run(1.5).roots.tolist() == [7, 6]
    assert server.waiting == 4
    assert server.run(3.0).roots.tolist() == [5, 4]
    assert server.run(4.0).roots.tolist() == [2, 0]
