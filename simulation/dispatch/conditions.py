"""Under which conditions machines work: how exact they are, which of them stall or are lost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harpagon.instances.errors import InputError, suggestion
from harpagon.simulation.dispatch.dispatchers import shares_queue
from harpagon.simulation.dispatch.machines import Fault, LognormalService, profiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harpagon.instances.plan import ModulePlan, Plan
    from harpagon.simulation.dispatch.machines import ServiceTime

_LARGEST_VARIATION = 10.0
_LARGEST_STALL = 1e6
_AS_PROFILED = "profile"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What machines do beside what their profile says; nothing by default.

    Attributes
    ----------
    variation
        Coefficient of variation of lognormal batch durations around the profiled mean; 0 for the profile itself.
    stalls
        Module to seconds: in the middle of the run one batch of every tuple of the module takes so much longer.
    losses
        Module to a number of machines that are lost in the middle of the run, of the foremost tuples first; each tuple
        keeps one.
    """

    variation: float = 0.0
    stalls: Mapping[str, float] = field(default_factory=dict)
    losses: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any machine does anything else than its profile says."""
        return bool(self.variation or self.stalls or self.losses)

    def within(self, spare: int) -> bool:
        """Whether machines do what their profile says, and no module loses more than ``spare`` of them."""
        return not (self.variation or self.stalls) and all(lost <= spare for lost in self.losses.values())

    def __str__(self) -> str:
        parts = [f"lognormal:{self.variation:g}"] if self.variation else [_AS_PROFILED]
        parts += [f"stall {module}:{1e3 * seconds:g}" for module, seconds in self.stalls.items()]
        parts += [f"lose {module}:{machines}" for module, machines in self.losses.items()]
        return ", ".join(parts)

    def service(self, seed: tuple[int, ...]) -> ServiceTime:
        """Service times of one module."""
        return LognormalService(self.variation, np.random.default_rng(seed)) if self.variation else profiled

    def faults(self, module: str, plan: ModulePlan, time: float) -> tuple[Fault, ...]:
        """What befalls each tuple of a module at ``time`` seconds on the clock."""
        stall = self.stalls.get(module, 0.0)
        return tuple(Fault(time, stall, lost) for lost in _shares(plan.counts(), self.losses.get(module, 0)))

    def fits(self, plan: Plan) -> None:
        """Raise `InputError` for a module that the plan does not have, or that has too few machines to lose."""
        modules = [item for pipeline in plan.pipelines for item in pipeline.modules.items()]
        names = [name for name, _ in modules]
        for name in (*self.stalls, *self.losses):
            if name not in names:
                raise InputError(name, "", "is no module of the plan", suggestion(name, names))
        if self.losses and not shares_queue(plan.dispatch):
            problem = "gives every machine a queue of its own, which is lost with it"
            raise InputError(plan.dispatch, "", problem, "Lose machines of a plan under another policy")
        for name, module in modules:
            machines, spare = self.losses.get(name, 0), sum(count - 1 for count in module.counts())
            if machines > spare:
                problem = f"cannot lose {machines} machines: each tuple keeps one, so it can lose {spare}"
                raise InputError(name, "", problem, "Lose fewer, or plan the module with more machines")


def _shares(counts: Iterable[int], machines: int) -> Iterable[int]:
    """How many of the ``machines`` that are lost each tuple loses."""
    for count in counts:
        lost = min(machines, count - 1)
        machines -= lost
        yield lost


def parse_conditions(service: str, stalls: Iterable[str], losses: Iterable[str]) -> Conditions:
    """Conditions of the flags ``--service``, ``--stall`` and ``--lose``.

    Raises
    ------
    InputError
        Where one of them cannot be read.
    """
    return Conditions(
        _variation(service),
        {name: _number(flag, figure, _LARGEST_STALL) / 1e3 for flag, name, figure in map(_pair, stalls)},
        {name: int(_number(flag, figure, math.inf, whole=True)) for flag, name, figure in map(_pair, losses)},
    )


def _variation(text: str) -> float:
    if text == _AS_PROFILED:
        return 0.0
    name, _, figure = text.partition(":")
    if name != "lognormal":
        raise InputError(
            text, "", "is no model of service times", "Give profile or lognormal:CV, such as lognormal:0.1"
        )
    return _number(text, figure, _LARGEST_VARIATION)


def _pair(text: str) -> tuple[str, str, str]:
    name, separator, figure = text.rpartition(":")
    if not separator:
        raise InputError(text, "", "is no module with a number", "Write MODULE:NUMBER, such as detect:50")
    return text, name, figure


def _number(flag: str, text: str, largest: float, *, whole: bool = False) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (0 < number <= largest and math.isfinite(number)) or (whole and not number.is_integer()):
        kind = "a whole number above 0" if whole else f"a number above 0 and at most {largest:g}"
        raise InputError(flag, "", f"{text or 'nothing'} is not {kind}", "Give such a number after the colon")
    return number
