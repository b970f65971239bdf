"""Modules and instances that the tests of the heuristics share."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harpagon.formulations.physics import tc_order
from harpagon.formulations.problem import ModuleProblem
from harpagon.heuristics.scheduling_rules import SchedulingRules
from harpagon.instances.generate import random_instance
from harpagon.instances.instance import Configuration, Instance
from harpagon.instances.policies import APART, Dispatch

if TYPE_CHECKING:
    from collections.abc import Iterator

DISPATCHES = (Dispatch.TC, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN)
WORKED_PROFILE = ((2, 0.1), (8, 0.25), (32, 0.8))
"""Batch and duration in seconds of the worked example of the docs, price 1 [R]."""


def module(rate: float, *profile: tuple[int, float], price: float = 1.0, hardware: str = "gpu") -> ModuleProblem:
    """Module on one hardware type from pairs of batch and duration."""
    configurations = (Configuration(hardware, batch, duration, price) for batch, duration in profile)
    return ModuleProblem("module", rate, tuple(sorted(configurations, key=tc_order)))


def random_instances(count: int, **settings: object) -> Iterator[Instance]:
    """``count`` seeded instances with up to five modules, eight configurations and three hardware types."""
    sizes: dict[str, object] = {"modules": (1, 5), "configurations": (1, 8), "hardware": (1, 3), **settings}
    for seed in range(count):
        yield random_instance(random.Random(seed), **sizes)  # type: ignore[arg-type]


@st.composite
def modules(draw: st.DrawFn) -> ModuleProblem:
    """Modules with one to six distinct configurations on two hardware types."""
    keys = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([1, 2, 4, 8, 16]))
    prices = {"a": draw(st.floats(0.2, 5.0)), "b": draw(st.floats(0.2, 5.0))}
    chosen = draw(st.lists(keys, min_size=1, max_size=6, unique=True))
    durations = draw(st.lists(st.floats(0.005, 1.0), min_size=len(chosen), max_size=len(chosen)))
    configurations = [
        Configuration(hardware, batch, duration, prices[hardware])
        for (hardware, batch), duration in zip(chosen, durations, strict=True)
    ]
    return ModuleProblem("module", draw(st.floats(0.5, 500.0)), tuple(sorted(configurations, key=tc_order)))


@st.composite
def rules(draw: st.DrawFn) -> SchedulingRules:
    """Every billing and dispatch, any mixing, with and without dummies."""
    return SchedulingRules(
        draw(st.sampled_from(list(APART))),
        draw(st.sampled_from(DISPATCHES)),
        draw(st.sampled_from([None, 1, 2])),
        draw(st.booleans()),
    )


def renamed_hardware(instance: Instance) -> Instance:
    """The instance with its hardware names in reversed alphabetical order."""
    names = sorted(instance.hardware)
    new = dict(zip(names, reversed(names), strict=True))
    hardware = {new[name]: replace(kind, name=new[name]) for name, kind in instance.hardware.items()}
    profiles = {
        model: tuple(replace(c, hardware=new[c.hardware]) for c in profile)
        for model, profile in instance.profiles.items()
    }
    return replace(instance, hardware=hardware, profiles=profiles)


def has_ties(instance: Instance) -> bool:
    """Whether the hardware name decides the dispatch order of two configurations of one model."""
    return any(len({(c.ratio, c.batch) for c in profile}) < len(profile) for profile in instance.profiles.values())
