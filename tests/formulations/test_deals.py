"""Dealing a module out: what each part gets, and what the checker asks of a plan that does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from shared_cases import FANOUTS, dealt_model, wave_of

from harpagon import solve
from harpagon.formulations.checker import check
from harpagon.formulations.deals import PARTS, deals, own_stream, rest_of
from harpagon.formulations.paced import Stream
from harpagon.formulations.problem import pipeline_problems
from harpagon.instances.files.plans import Certificate, plan_document, plan_from_document
from harpagon.instances.plan import Plan

CERTIFICATE = Certificate("exact", "optimal", 1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("fanout", sorted(set(FANOUTS)))
@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(5, 6), Fraction(13, 24)])
def test_every_request_goes_to_one_part_and_no_window_holds_more_than_its_wave_says(
    fanout: float, share: Fraction
) -> None:
    wave = wave_of(fanout)
    module = replace(pipeline_problems(dealt_model())[0].modules[0], stream=Stream(20.0, wave))
    assert module.stream is not None
    own, rest = own_stream(module.stream, share).wave, rest_of(module, share).stream
    assert rest is not None
    roots = own.period * 2
    requests = wave.counts * (roots // wave.period)
    given = [0, 0]
    mine, left = [], []
    for count in requests:  # request by request, as a dealer would
        before = list(given)
        for _ in range(count):
            i = sum(given)
            to_own = -(-share * (i + 1) // 1) > -(-share * i // 1)
            given[not to_own] += 1
        mine.append(given[0] - before[0])
        left.append(given[1] - before[1])
    for part, counts in ((own, mine), (rest.wave, left)):
        totals = [0, *accumulate(counts)]
        for k in range(1, roots // 2):
            assert part.most(k) == max(totals[i + k] - totals[i] for i in range(roots + 1 - k))


def test_machines_of_its_own_are_as_busy_as_their_share_allows() -> None:
    (module,) = pipeline_problems(dealt_model())[1].modules
    (deal,) = deals(module, 1.0)
    assert (deal.own.machines, deal.share) == (1, Fraction(20, PARTS))
    assert deal.service.latency == pytest.approx(0.06 * 2 - 0.06 / 3, abs=0.03)
    assert list(deals(module, 0.059)) == []


def planned() -> Plan:
    plan = solve(dealt_model(), spare=0).plan
    assert plan is not None
    return plan


def test_a_dealt_module_saves_a_machine() -> None:
    plan = planned()
    assert plan.cost == pytest.approx(2.0)
    assert solve(dealt_model(), billing="whole").objective == pytest.approx(3.0)
    module = plan.pipelines[1].modules["m"]
    assert module.pace is not None
    assert (module.pace.dispatcher, module.pace.own_share, module.pace.machine) == ("dealt", Fraction(5, 6), "gpu-1")
    assert module.counts() == (1, 1)


def _module(document: dict[str, Any]) -> dict[str, Any]:
    return document["pipelines"][1]["modules"]["m"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda d: None, ""),
        (lambda d: _module(d).update(own_share="7/8"), "do not keep up with their share"),
        (lambda d: _module(d).update(own_share="2/1"), "do not keep up with their share"),
        (lambda d: _module(d).update(own_share="1/2"), "latency_ms"),
        (
            lambda d: _module(d).update(dispatcher="turns"),
            "dispatcher turns, on a shared machine it takes dealt",
        ),
        (lambda d: _module(d)["tuples"][0].update(machines=2), "do not keep up with their share"),
        (lambda d: _module(d)["tuples"][0].update(close_after_ms=9.0), "do not keep up with their share"),
        (lambda d: _module(d)["tuples"][0].update(latency_ms=50.0), "tuples[0]: claims latency_ms 50"),
        (lambda d: _module(d)["tuples"][1].update(rate_rps=50.0), "claims tuples[1].rate_rps 50"),
        (lambda d: d.update(spare=1), "do not keep up"),
    ],
)
def test_the_checker_knows_dealt_modules(edit: Any, words: str) -> None:
    instance, document = dealt_model(), plan_document(planned(), CERTIFICATE)
    edit(document)
    faults = [str(fault) for fault in check(instance, plan_from_document(document, instance, "plan")).violations]
    assert any(words in fault for fault in faults) if words else not faults
