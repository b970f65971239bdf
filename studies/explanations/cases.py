"""Twenty instances without a plan, each for another reason: what `explain` is tested and shown on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import networkx as nx

from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRICES = {"V100": 3.06, "T4": 0.53}
_DURATIONS = {
    "detector": {"V100": {1: 0.035, 8: 0.129}, "T4": {1: 0.052, 4: 0.120}},
    "classifier": {"V100": {1: 0.010, 8: 0.030}, "T4": {1: 0.020, 4: 0.050}},
}
_CHAIN = (("detect", "classify"),)
_FORK = (("detect", "classify"), ("detect", "count"))
_DIAMOND = (("detect", "classify"), ("detect", "count"), ("classify", "report"), ("count", "report"))


@dataclass(frozen=True, slots=True)
class Case:
    """An instance without a plan.

    Attributes
    ----------
    cause
        In words.
    instance, dispatch
        The case; the billing is the instance's own.
    kinds
        Kinds of change that give a plan, of ``slo``, ``rate``, ``machines``.
    """

    cause: str
    instance: Instance
    dispatch: Dispatch = Dispatch.TC
    kinds: frozenset[str] = field(default=frozenset({"slo"}))


def _pipeline(
    name: str, rate: float, slo: float, edges: tuple[tuple[str, str], ...] = (), transfer: float = 0.0
) -> Pipeline:
    """Module ``detect`` runs the detector, all others the classifier."""
    graph = nx.DiGraph()
    graph.add_node("detect", model="detector", join="all")
    for tail, head in edges:
        graph.add_node(head, model="classifier", join="all")
        graph.add_edge(tail, head, fanout=1.0, transfer=transfer)
    return Pipeline(name, rate, slo, graph)


def _instance(
    pipelines: tuple[Pipeline, ...],
    limits: Mapping[str, int] | None = None,
    billing: Billing = Billing.WHOLE,
    types: tuple[str, ...] = ("V100", "T4"),
) -> Instance:
    hardware = {name: Hardware(name, _PRICES[name], (limits or {}).get(name)) for name in types}
    profiles = {
        model: tuple(
            Configuration(name, batch, duration, _PRICES[name])
            for name in types
            for batch, duration in durations[name].items()
        )
        for model, durations in _DURATIONS.items()
    }
    return Instance("case", billing, hardware, profiles, pipelines)


def cases() -> tuple[Case, ...]:
    """All cases."""
    return (*_objectives(), *_policies(), *_one_limit(), *_shared_limits())


def _objectives() -> tuple[Case, ...]:
    """Paths that are longer than the SLO with any number of machines."""
    second = _pipeline("second", 20.0, 0.040, _CHAIN)
    return (
        Case("SLO below one module's shortest batch", _instance((_pipeline("a", 100.0, 0.030),))),
        Case("SLO equal to the shortest batch", _instance((_pipeline("a", 100.0, 0.035),))),
        Case("SLO of a chain", _instance((_pipeline("a", 100.0, 0.040, _CHAIN),))),
        Case("SLO of a fork's longest branch", _instance((_pipeline("a", 100.0, 0.042, _FORK),))),
        Case("SLO of a diamond", _instance((_pipeline("a", 100.0, 0.050, _DIAMOND),))),
        Case("transfer times", _instance((_pipeline("a", 100.0, 0.060, _CHAIN, transfer=0.030),))),
        Case("the second pipeline's SLO", _instance((_pipeline("first", 50.0, 0.2, _CHAIN), second))),
        Case("SLOs of both pipelines", _instance((_pipeline("first", 50.0, 0.030), second))),
    )


def _policies() -> tuple[Case, ...]:
    """Objectives that one policy or billing cannot meet."""
    pair = _instance((_pipeline("a", 100.0, 0.080, _CHAIN),))
    partial = _instance((_pipeline("a", 100.0, 0.044, _CHAIN),), billing=Billing.FRACTIONAL)
    return (
        Case("twice the batch duration under round-robin", pair, Dispatch.ROUND_ROBIN),
        Case("SLO of a chain in fractional billing", partial),
        Case("SLO of one module under edf", _instance((_pipeline("a", 100.0, 0.034),)), Dispatch.EDF),
    )


def _one_limit() -> tuple[Case, ...]:
    """One pipeline and too few machines."""
    everything = frozenset({"slo", "rate", "machines"})
    capacity = frozenset({"rate", "machines"})
    short = frozenset({"slo", "machines"})
    quick = _pipeline("a", 40.0, 0.050)
    return (
        Case(
            "no machine of the only type",
            _instance((_pipeline("a", 20.0, 0.5),), {"T4": 0}, types=("T4",)),
            kinds=frozenset({"machines"}),
        ),
        Case("rate beyond the limit of the only type", _t4(200.0, 2.0, 4), kinds=capacity),
        Case("SLO so short that batches need more machines", _t4(60.0, 0.14, 2), kinds=everything),
        Case(
            "the quick type is short, the other is too slow",
            _instance((quick,), {"V100": 1}),
            kinds=short,
        ),
        Case("both types are short", _instance((_pipeline("a", 150.0, 0.5),), {"V100": 1, "T4": 1}), kinds=capacity),
        Case(
            "one machine for two modules",
            _instance((_pipeline("a", 5.0, 1.0, _CHAIN),), {"T4": 1}, types=("T4",)),
            kinds=frozenset({"machines"}),
        ),
    )


def _t4(rate: float, slo: float, limit: int) -> Instance:
    return _instance((_pipeline("a", rate, slo),), {"T4": limit}, types=("T4",))


def _shared_limits() -> tuple[Case, ...]:
    """Two pipelines and too few machines."""
    pair = (_pipeline("first", 60.0, 0.5), _pipeline("second", 60.0, 0.5))
    mixed = (_pipeline("first", 60.0, 0.050), _pipeline("second", 60.0, 0.051))
    halves = (_pipeline("first", 55.0, 1.0), _pipeline("second", 55.0, 1.0))
    return (
        Case(
            "a limit shared by two pipelines",
            _instance(pair, {"T4": 3}, types=("T4",)),
            kinds=frozenset({"rate", "machines"}),
        ),
        Case("two pipelines need the quick type", _instance(mixed, {"V100": 3}), kinds=frozenset({"slo", "machines"})),
        Case(
            "fractions of machines beyond a limit",
            _instance(halves, {"T4": 3}, Billing.FRACTIONAL, ("T4",)),
            kinds=frozenset({"rate", "machines"}),
        ),
    )
