"""Shared machines: the theorem on random mixes, a mix that breaks it, and what the checker asks of a plan."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_cases import FANOUTS, Stream, Turn, longest_stays, roots, two_models, wave_of

from harpagon.formulations.checker import check
from harpagon.formulations.paced import Stream as Rate
from harpagon.formulations.problem import ModuleProblem, pipeline_problems
from harpagon.formulations.shared import Mix, busy, every_group, group, groups, roots_apart, roots_that_fit
from harpagon.formulations.shared_assembly import assemble_shared
from harpagon.instances.files.plans import Certificate, plan_document, plan_from_document
from harpagon.instances.instance import Configuration, Instance
from harpagon.instances.plan import DispatchTuple

if TYPE_CHECKING:
    from harpagon.instances.plan import Plan

CERTIFICATE = Certificate("exact", "optimal", 1.0, 0.0, 0.0, 0.0)


def random_mix(rng: random.Random, load: Fraction) -> list[Turn]:
    """Groups that take exactly ``load`` of a machine's time, each on a stream of its own."""
    turns = []
    for part in _parts(rng, load):
        rate, wave = Fraction(rng.choice((1, 3, 10, 40))), wave_of(rng.choice(FANOUTS))
        batch = wave.most(1) + rng.randint(0, 5)
        at_once = rng.random() < 0.3
        fits = roots_that_fit(wave, batch, 100)
        close_after = Fraction(0) if at_once else fits / rate
        spacing = max(close_after, roots_apart(wave, batch) / rate)
        turns.append(Turn(batch, part * spacing, close_after, Stream(rate, wave, roots(rng, rate, 60))))
    return turns


def _parts(rng: random.Random, load: Fraction) -> list[Fraction]:
    weights = [rng.randint(1, 9) for _ in range(rng.randint(2, 4))]
    return [load * weight / sum(weights) for weight in weights]


def promised(turns: list[Turn]) -> list[Fraction]:
    return [turn.close_after + sum(other.duration for other in turns) for turn in turns]


@pytest.mark.parametrize("seed", range(150))
def test_a_mix_within_the_condition_keeps_its_latencies(seed: int) -> None:
    """Loads of exactly 1, streams as dense as the class allows: the condition leaves nothing to spare."""
    turns = random_mix(random.Random(seed), Fraction(1))
    for stays, bound in zip(longest_stays(turns), promised(turns), strict=True):
        assert stays <= bound


def test_the_latencies_are_reached() -> None:
    """Two groups whose batches close at one instant: the later one waits for the other and runs."""
    wave = wave_of(1.0)
    stream = Stream(Fraction(10), wave, (Fraction(0),))
    turns = [Turn(1, Fraction(1, 20), Fraction(0), stream)] * 2
    assert longest_stays(turns)[1] == promised(turns)[1]


def test_a_mix_beyond_the_condition_is_late() -> None:
    """A machine that is asked for 1.02 of its time falls behind on dense streams."""
    wave, dense = wave_of(1.0), tuple(Fraction(k, 10) for k in range(400))
    turns = [Turn(1, Fraction(51, 1000), Fraction(0), Stream(Fraction(10), wave, dense))] * 2
    assert busy([_group(turn) for turn in turns]) == pytest.approx(1.02)
    assert longest_stays(turns)[1] > promised(turns)[1]


def test_batches_that_join_when_they_are_full_break_the_bound() -> None:
    """A batch that timed out and a full one behind it join sooner than a spacing apart; held to c, they do not."""
    late = 0
    for seed in range(150):
        turns = random_mix(random.Random(seed), Fraction(1))
        stays = longest_stays(turns, when_full=True)
        late += any(stay > bound for stay, bound in zip(stays, promised(turns), strict=True))
    assert late >= 5


def _group(turn: Turn) -> Any:
    configuration = Configuration("gpu", turn.batch, float(turn.duration), 1.0)
    return group(configuration, Rate(float(turn.stream.rate), turn.stream.wave), float(turn.close_after))


@settings(deadline=None)
@given(st.sampled_from(FANOUTS), st.integers(1, 12), st.sampled_from([1.0, 7.0, 240.0]))
def test_a_group_holds_what_comes_until_it_closes(fanout: float, batch: int, rate: float) -> None:
    wave = wave_of(fanout)
    fits = roots_that_fit(wave, batch, 1_000)
    assert wave.most(fits) <= batch < wave.most(fits + 1)
    configuration = Configuration("gpu", batch, 1e-4, 1.0)
    stream = Rate(rate, wave)
    assert (group(configuration, stream, fits / rate) is not None) == (fits > 0)
    assert group(configuration, stream, (fits + 1) / rate) is None
    apart = roots_apart(wave, batch)
    counts = [min(count, 1) for count in wave.counts] * 3
    brings = [k for k, count in enumerate(counts) if count]
    assert apart == min((b - a for a, b in pairwise(brings)), default=len(wave.counts))


def test_a_group_that_another_beats_is_left_out() -> None:
    """At 10 req/s at once, a batch of 3 that takes longer is no better than one of 1; waiting for 2 or 3 is."""
    pairs = ((1, 0.05), (3, 0.06))
    module = ModuleProblem(
        "m", 10.0, tuple(Configuration("gpu", b, d, 1.0) for b, d in pairs), Rate(10.0, wave_of(1.0))
    )
    every = {(one.configuration.batch, one.close_after) for one in every_group(module)}
    assert every == {(1, 0.0), (3, 0.0), (3, 0.2), (3, 0.3)}
    assert {(one.configuration.batch, one.close_after) for one in groups(module, 1.0)} == {(1, 0.0), (3, 0.2), (3, 0.3)}
    assert {(one.configuration.batch, one.close_after) for one in groups(module, 0.27)} == {(1, 0.0), (3, 0.2)}
    assert {(one.configuration.batch, one.close_after) for one in groups(module, 0.2)} == {(1, 0.0)}


def test_rare_requests_are_waited_for_in_steps_of_their_distance() -> None:
    """At a fan-out of 0.4 what brings something is two roots apart; five roots bring two requests, six up to three."""
    module = ModuleProblem("m", 4.0, (Configuration("gpu", 2, 0.01, 1.0),), Rate(10.0, wave_of(0.4)))
    found = sorted((one.close_after, one.spacing) for one in every_group(module))
    assert found == [(0.0, 0.2), (0.4, 0.4), (0.5, 0.5)]


def shared_plan(instance: Instance, close_after: float = 0.05) -> Plan:
    """Both modules of `two_models` on one machine: at once, or with four requests a batch."""
    problems = pipeline_problems(instance)
    chosen = []
    for problem in problems:
        (module,) = problem.modules
        (configuration,) = (c for c in module.configurations if c.batch == (1 if not close_after else 4))
        assert module.stream is not None
        made = group(configuration, module.stream, close_after)
        assert made is not None
        chosen.append(made)
    return replace(assemble_shared(instance, problems, {}, [Mix((0, 1), tuple(chosen))]), instance_digest="")


def test_a_plan_with_a_shared_machine_stands_and_survives_a_file() -> None:
    instance = two_models()
    plan = shared_plan(instance, 0.2)
    assert check(instance, plan).violations == ()
    assert plan.cost == pytest.approx(1.0)
    assert plan.usage() == {"gpu": pytest.approx(1.0)}
    assert plan.shared_machines() == {"gpu-1": (("a", "m"), ("b", "m"))}
    assert plan.pipelines[0].latency == pytest.approx(0.2 + 0.04 + 0.04)
    document = plan_document(plan, CERTIFICATE)
    assert document["pipelines"][0]["modules"]["m"]["machine"] == "gpu-1"
    again = plan_from_document(document, instance, "plan.json")
    assert check(instance, again).violations == ()


def _edited(plan: Plan, instance: Instance, edit: Any) -> list[str]:
    document = plan_document(plan, CERTIFICATE)
    edit(document)
    return [str(fault) for fault in check(instance, plan_from_document(document, instance, "plan.json")).violations]


def _module(document: dict[str, Any], pipeline: int = 0) -> dict[str, Any]:
    return document["pipelines"][pipeline]["modules"]["m"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda d: _module(d)["tuples"][0].update(close_after_ms=300.0), "do not hold what comes"),
        (lambda d: _module(d).update(dispatcher="in-step"), "claims dispatcher in-step"),
        (lambda d: _module(d)["tuples"][0].update(machines=0.4), "claims machines 0.4"),
        (lambda d: _module(d)["tuples"][0].update(latency_ms=100.0), "claims latency_ms 100"),
        (lambda d: _module(d).update(machine="gpu-2"), "claims machines 0.5"),
        (lambda d: d.update(billing="whole"), "a shared machine under whole billing"),
        (lambda d: d.update(dispatch="edf"), "under paced only"),
        (lambda d: d.update(spare=1), "claims machines 0.5, recomputed 1"),
        (lambda d: d.update(cost_per_hour=0.5), "claims cost_per_hour 0.5"),
    ],
)
def test_the_checker_refuses_a_plan_that_claims_too_much(edit: Any, words: str) -> None:
    instance = two_models((20.0, 20.0))
    faults = _edited(shared_plan(instance, 0.2), instance, edit)
    assert any(words in fault for fault in faults), faults


def test_the_checker_refuses_a_mix_that_breaks_the_condition() -> None:
    """At once at 20 req/s each group may take 0.6 of the machine."""
    instance = two_models()
    faults = [str(fault) for fault in check(instance, shared_plan(instance, 0.0)).violations]
    assert faults == ["machine gpu-1: its groups may take 1.2 of its time: a machine has 1"]


def test_the_checker_counts_memory() -> None:
    fits, too_large = two_models(memory=4.0), two_models(memory=4.5)
    assert check(fits, shared_plan(fits, 0.2)).ok
    faults = [str(fault) for fault in check(too_large, shared_plan(too_large, 0.2)).violations]
    assert faults == ["machine gpu-1: its models take 9 GB, a gpu has 8"]


def test_a_model_on_a_machine_twice_takes_its_memory_once() -> None:
    instance = two_models(memory=5.0)
    graphs = [nx.DiGraph() for _ in instance.pipelines]
    for graph in graphs:
        graph.add_node("m", model="model-a", join="all")
    pipelines = tuple(replace(p, graph=graph) for p, graph in zip(instance.pipelines, graphs, strict=True))
    assert check(replace(instance, pipelines=pipelines), shared_plan(replace(instance, pipelines=pipelines), 0.2)).ok


def test_a_fraction_of_a_machine_is_no_machine_under_shared_billing() -> None:
    instance = two_models()
    problems = pipeline_problems(instance)
    configuration = problems[0].modules[0].configurations[0]
    parts = {m: (DispatchTuple.residual(configuration, 20.0),) for m in (0, 1)}
    faults = [str(fault) for fault in check(instance, assemble_shared(instance, problems, parts, [])).violations]
    assert "pipelines.a.modules.m: a fraction of a machine under shared billing" in faults
