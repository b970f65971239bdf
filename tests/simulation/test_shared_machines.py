"""Modules that take turns on one machine, in time: kept, late where a mix asks too much, and as the referee has it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from shared_cases import Stream, Turn, dealt_model, longest_stays, two_models, wave_of
from virtual_time import VirtualLoop

from harpagon import read_instance, solve
from harpagon.cli import main
from harpagon.formulations.problem import pipeline_problems
from harpagon.formulations.shared import Mix, group
from harpagon.formulations.shared_assembly import assemble_shared
from harpagon.instances.errors import InputError
from harpagon.instances.files.instances import write_instance
from harpagon.instances.files.plans import Certificate, write_plan
from harpagon.instances.library.suites import spread, suite
from harpagon.simulation import simulate
from harpagon.simulation import simulator as simulator_module
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.simulation.deploy import TARGETS, deployment_files
from harpagon.simulation.dispatch.conditions import Conditions
from harpagon.simulation.flow.station import LateError, PromptStation
from harpagon.simulation.serving.run import serve_plan
from studies.dispatch.streams import class_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.simulation.report import SimulationReport

WORKLOADS = [workload for workload in spread(suite("smoke"), 14) if workload.pipelines[0].rate <= 400]


_PLANNED: dict[str, Plan] = {}


def planned(instance: Instance) -> Plan:
    digest = instance.digest()
    if digest not in _PLANNED:
        plan = solve(instance, billing="shared").plan
        assert plan is not None
        _PLANNED[digest] = plan
    return _PLANNED[digest]


def host(instance: Instance, batches: Sequence[int], closings: Sequence[float]) -> Plan:
    """Every module of the instance on one machine, whether it stands or not."""
    problems = pipeline_problems(instance)
    chosen = []
    modules = [module for problem in problems for module in problem.modules]
    for module, batch, close_after in zip(modules, batches, closings, strict=True):
        (configuration,) = (c for c in module.configurations if c.batch == batch)
        assert module.stream is not None
        made = group(configuration, module.stream, close_after)
        assert made is not None
        chosen.append(made)
    plan = assemble_shared(instance, problems, {}, [Mix(tuple(range(len(modules))), tuple(chosen))])
    return replace(plan, instance_digest=instance.digest())


def figures(report: SimulationReport) -> list[object]:
    """What was counted and the largest latencies; means are summed in another order by another window."""
    (pipeline,) = report.pipelines
    tuples = [(part.requests, part.batches, part.maximum) for m in pipeline.modules for part in m.tuples]
    return [pipeline.arrived, pipeline.latency.count, pipeline.latency.maximum, pipeline.frames.count, *tuples]


@pytest.mark.parametrize("instance", WORKLOADS, ids=lambda instance: instance.name)
def test_shared_plans_are_in_time_on_every_stream_of_their_class(instance: Instance) -> None:
    plan = planned(instance)
    for name, times in class_streams(instance.pipelines[0], plan.pipelines[0], 1_500, 0).items():
        duration = float(times[-1]) + 2 * plan.pipelines[0].latency + 1.0
        (report,) = simulate(instance, plan, TraceArrivals(name, times), duration=duration).pipelines
        assert (report.promised, report.late, report.violations) == (True, 0, 0), name
        for module in report.modules:
            assert module.arrived == module.finished
            assert module.latency.maximum <= module.bound + 1e-6, (name, module.name)


def test_many_of_these_plans_share_machines() -> None:
    assert sum(bool(planned(instance).shared_machines()) for instance in WORKLOADS) >= len(WORKLOADS) / 2


def test_stays_are_those_of_the_referee() -> None:
    """Two models on one machine, dense streams with gaps, no two closings at one instant: the longest stays."""
    instance = two_models()
    plan = host(instance, (4, 8), (0.2, 0.36))
    rng = np.random.default_rng(1)
    gaps = rng.choice([1, 1, 1, 1, 2, 5], 400)
    roots = tuple(Fraction(int(k), 20) for k in np.cumsum(gaps) - gaps[0])
    turns = [
        Turn(batch, duration, close_after, Stream(Fraction(20), wave_of(1.0), roots))
        for batch, duration, close_after in (
            (4, Fraction(4, 100), Fraction(1, 5)),
            (8, Fraction(6, 100), Fraction(36, 100)),
        )
    ]
    times = np.array([float(root) for root in roots])
    report = simulate(instance, plan, TraceArrivals("gaps", times), duration=float(times[-1]) + 5)
    for pipeline, stay in zip(report.pipelines, longest_stays(turns), strict=True):
        assert pipeline.late == 0
        assert pipeline.latency.maximum == pytest.approx(float(stay), abs=1e-9)


def test_a_dealt_module_is_in_time_and_as_an_independent_count_has_it() -> None:
    """Five of six requests wait for the module's own machine, the sixth for the shared one: done by hand."""
    instance = dealt_model()
    plan = planned(instance)
    gaps = np.random.default_rng(3).choice([1, 1, 1, 1, 3], 600)
    times = np.cumsum(gaps) / 20
    report = simulate(instance, plan, TraceArrivals("gaps", times), duration=float(times[-1]) + 5)
    assert [pipeline.late for pipeline in report.pipelines] == [0, 0]
    own, shared, longest = -1.0, -1.0, [0.0, 0.0]
    for k, time in enumerate(times.tolist()):
        to_own = -(-5 * (k + 1) // 6) > -(-5 * k // 6)
        shared = max(shared, time) + 0.01  # the other model's request comes first
        if to_own:
            own = max(own, time) + 0.06
            longest[0] = max(longest[0], own - time)
        else:
            shared += 0.06
            longest[1] = max(longest[1], shared - time)
    parts = report.pipelines[1].modules[0].tuples
    assert [part.requests for part in parts] == [500, 100]
    assert [part.maximum for part in parts] == [pytest.approx(seconds, abs=1e-6) for seconds in longest]


def test_the_first_request_goes_to_the_machines_of_its_own() -> None:
    one = TraceArrivals("one", np.array([0.0]))
    report = simulate(dealt_model(), planned(dealt_model()), one, duration=1.0)
    assert [part.requests for part in report.pipelines[1].modules[0].tuples] == [1, 0]


def test_window_by_window_a_dealt_module_runs_as_promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(dealt_model())
    prompt = simulate(dealt_model(), plan, duration=8.0)

    def late(*_: object) -> None:
        raise LateError

    monkeypatch.setattr(PromptStation, "process", late)
    linked = simulate(dealt_model(), plan, duration=8.0)
    for one, other in zip(prompt.pipelines, linked.pipelines, strict=True):
        assert one.latency.maximum == other.latency.maximum
        assert one.modules[0].finished == other.modules[0].finished


def test_a_run_deals_requests_out() -> None:
    report = serve_plan(dealt_model(), planned(dealt_model()), duration=4.0, loop=VirtualLoop)
    assert [(pipeline.requests, pipeline.late) for pipeline in report.pipelines] == [(80, 0), (80, 0)]


@pytest.mark.parametrize("instance", [two_models(), dealt_model()], ids=["two", "dealt"])
def test_a_shared_machine_with_one_in_spare_may_be_lost(instance: Instance) -> None:
    """Lost for every module at once, which is one machine and not one for each."""
    careful = instance.with_spare(1)
    plan = planned(careful)
    assert plan.shared_machines() and plan.cost == 2 * planned(instance).cost
    names = {name: 1 for pipeline in plan.pipelines for name in pipeline.modules}
    report = simulate(careful, plan, duration=20.0, conditions=Conditions(losses=names))
    assert all(pipeline.promised and not pipeline.late for pipeline in report.pipelines)
    with pytest.raises(InputError, match="cannot lose 1 machines"):
        simulate(instance, planned(two_models()), conditions=Conditions(losses=names))


def test_a_mix_that_breaks_the_condition_is_late(tmp_path: Path) -> None:
    """1.2 of a machine's time: the queue grows, and the command says so."""
    instance = two_models()
    plan = host(instance, (1, 1), (0.0, 0.0))
    report = simulate(instance, plan, duration=20.0)
    assert all(pipeline.late > 300 for pipeline in report.pipelines)
    assert report.pipelines[0].latency.maximum > 2.0
    write_instance(tmp_path / "two.json", instance)
    write_plan(tmp_path / "plan.json", plan, Certificate("mine", "feasible", None, None, 0.0, 0.0))
    assert main(["simulate", str(tmp_path / "two.json"), str(tmp_path / "plan.json")]) == 3


def test_batches_stay_open_when_they_are_full() -> None:
    """Four requests fill a batch at 0.15 s; it closes at 0.2 s all the same."""
    report = simulate(two_models(), host(two_models(), (4, 4), (0.2, 0.2)), duration=4.0)
    assert report.pipelines[0].latency.maximum == pytest.approx(0.2 + 0.04)
    assert report.pipelines[1].latency.maximum == pytest.approx(0.2 + 0.08)
    assert {part.mean_batch for pipeline in report.pipelines for part in pipeline.modules[0].tuples} == {4.0}


@pytest.mark.parametrize("instance", WORKLOADS[:4], ids=lambda instance: instance.name)
def test_window_by_window_is_the_same_run(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(instance)
    prompt = simulate(instance, plan, duration=8.0)

    def late(*_: object) -> None:
        raise LateError

    monkeypatch.setattr(PromptStation, "process", late)
    assert figures(simulate(instance, plan, duration=8.0)) == figures(prompt)


def test_machines_that_are_slower_than_their_profile_are_late_and_lose_nothing() -> None:
    instance = WORKLOADS[1]
    plan = planned(instance)
    report = simulate(instance, plan, duration=20.0, conditions=Conditions(variation=0.5))
    (pipeline,) = report.pipelines
    assert pipeline.late > 0
    assert not pipeline.promised
    for module in pipeline.modules:
        assert module.finished >= 0.9 * module.arrived > 0


def test_what_needs_machines_of_its_own_refuses_shared_ones() -> None:
    instance = two_models()
    plan = host(instance, (4, 4), (0.2, 0.2))
    with pytest.raises(InputError, match="deployment needs machines of each module's own; gpu-1 hosts several"):
        deployment_files(instance, plan, TARGETS["triton"])


@pytest.mark.parametrize(
    ("rates", "batches", "closings", "kept"),
    [((20.0, 0.5), (4, 1), (0.2, 0.0), True), ((20.0, 20.0), (1, 1), (0.0, 0.0), False)],
)
def test_a_run_takes_turns_on_one_machine(
    rates: tuple[float, ...], batches: tuple[int, ...], closings: tuple[float, ...], kept: bool
) -> None:
    """Over sockets, on a clock of its own: kept, and late where the mix asks for 1.2 of the machine's time."""
    instance = two_models(rates)
    report = serve_plan(instance, host(instance, batches, closings), duration=4.0, loop=VirtualLoop)
    for pipeline, rate in zip(report.pipelines, rates, strict=True):
        assert (pipeline.requests, pipeline.unanswered) == (4 * rate, 0)
        assert (pipeline.late == 0) == kept


def test_the_long_window_is_no_part_of_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(WORKLOADS[0])
    before = figures(simulate(WORKLOADS[0], plan, duration=8.0))
    monkeypatch.setattr(simulator_module, "_LONG_WINDOW", 0.7)
    assert figures(simulate(WORKLOADS[0], plan, duration=8.0)) == before


def test_a_file_that_says_shared_is_planned_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_instance(tmp_path / "two.yaml", two_models())
    assert read_instance(tmp_path / "two.yaml").billing == "shared"
    assert main(["plan", str(tmp_path / "two.yaml")]) == 0
    assert "$1.0000/h  optimal" in capsys.readouterr().out
