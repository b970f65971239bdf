"""What a served plan measured beside what it claims and what the simulator says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a run says about its plan."""

    KEPT = "kept"
    """Every request was answered within its bound."""
    MISSED = "missed"
    """Requests were late although every batch kept to its profile."""
    SLOW_MACHINE = "slow machine"
    """Requests were late, and so was this machine: batches beyond their profile, or timers later than the requests."""


@dataclass(frozen=True, slots=True)
class ServedModule:
    """One module: seconds from the arrival of a request to its result.

    ``share`` is the largest share of its profiled duration that a batch took.
    """

    name: str
    bound: float
    simulated: float
    measured: float
    requests: int
    batches: int
    share: float


@dataclass(frozen=True, slots=True)
class ServedPipeline:
    """One pipeline: seconds from the intended moment of a root request to its last result.

    Attributes
    ----------
    slo, bound
        Objective, and what the plan claims, its dispatcher's allowances included.
    simulated, measured
        Largest latencies.
    quantiles
        Share of the requests to measured seconds.
    requests, late, unanswered
        Root requests answered, answered after the bound, not answered.
    modules
        In topological order.
    """

    name: str
    slo: float
    bound: float
    simulated: float
    measured: float
    quantiles: dict[float, float]
    requests: int
    late: int
    unanswered: int
    modules: tuple[ServedModule, ...]

    @property
    def timers(self) -> int:
        """Timers that a request of all modules in a row waits for: to be sent, and for its batches to start and end."""
        return 1 + 2 * len(self.modules)


@dataclass(frozen=True, slots=True)
class ServingReport:
    """A whole run of ``duration`` seconds; ``lag`` is the largest lateness of this machine's own timers, seconds."""

    instance: str
    duration: float
    share: float
    lag: float
    pipelines: tuple[ServedPipeline, ...]

    @property
    def verdict(self) -> Verdict:
        """Kept, or missed, or not to be told on this machine.

        A request waits for a timer when it is sent, and in every module for its batch to start and to end. One that is
        late by no more than all of them together may owe that to the machine, and so may any request where a batch took
        longer than its profile.
        """
        late = [item for item in self.pipelines if item.late or item.unanswered]
        if not late:
            return Verdict.KEPT
        slow = any(module.share > 1 for item in self.pipelines for module in item.modules)
        explained = all(not item.unanswered and item.measured - item.bound <= self.lag * item.timers for item in late)
        return Verdict.SLOW_MACHINE if slow or explained else Verdict.MISSED
