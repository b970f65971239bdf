"""Sponge's decision for one model: cores c and batch size b, so that every queued request meets its own deadline.

    minimise    c + delta' b + kappa [c differs from the cores now]
    subject to  b / l(b, c) >= rate                                   (throughput; variant ``paper``)
                (floor(i / b) + 1) l(b, c) <= remaining_i  for all i  (deadline)

The requests stand in order of their deadlines, so request i leaves with batch floor(i / b). Without a queue given,
the queue is one adaptation interval's arrivals, ceil(rate) requests that all took the largest communication latency
cl_max; the last deadline row then reads ceil(rate / b) l(b, c) + cl_max <= SLO, the condition of the published code.

Source: Sponge, EuroMLSys 2024, arXiv 2404.00704. The published code plans for 0.9 of the SLO and has no throughput row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harpagon.instances.cpu.profile import CoreProfile

BATCH_WEIGHT = 1e-3
"""delta' of the objective: small enough that cores decide and the batch size only breaks ties."""


class SpongeVariant(StrEnum):
    """Which rows the decision has."""

    PAPER = "paper"
    """The whole SLO, a throughput row, a deadline row for every request."""
    PUBLISHED_CODE = "published-code"
    """0.9 of the SLO, ceil(rate / b) batches after cl_max, no throughput row."""

    @property
    def slo_share(self) -> float:
        """Part of the SLO that the variant plans for."""
        return 0.9 if self is SpongeVariant.PUBLISHED_CODE else 1.0

    @property
    def has_throughput_row(self) -> bool:
        """Whether the throughput row is part of the variant."""
        return self is SpongeVariant.PAPER


@dataclass(frozen=True, slots=True)
class SpongeProblem:
    """One decision, compiled: what every method works on.

    Attributes
    ----------
    profile
        Candidate pairs (cores, batch) and their batch durations.
    throughput
        Requests per second that b / l(b, c) must reach; 0 for no such row.
    remaining
        Seconds until each request must be done, ascending.
    batch_weight
        delta' of the objective, cores per request of the batch.
    current_cores
        Cores in use now, or None.
    change_cost
        kappa of the objective: cores that a change must save to be worth it.
    """

    profile: CoreProfile
    throughput: float
    remaining: tuple[float, ...]
    batch_weight: float = BATCH_WEIGHT
    current_cores: int | None = None
    change_cost: float = 0.0

    def objective(self, cores: int, batch: int) -> float:
        """c + delta' b, with the cost of change where c is not what runs now."""
        changes = self.current_cores is not None and cores != self.current_cores
        return cores + self.batch_weight * batch + (self.change_cost if changes else 0.0)


@dataclass(frozen=True, slots=True)
class SpongeDecision:
    """Cores, batch size, and the objective they reach."""

    cores: int
    batch: int
    objective: float

    @property
    def cost(self) -> float:
        """The objective, in cores."""
        return self.objective


def interval_problem(
    profile: CoreProfile,
    rate: float,
    slo: float,
    communication: float,
    variant: SpongeVariant = SpongeVariant.PAPER,
    queue: Iterable[float] = (),
    current_cores: int | None = None,
    change_cost: float = 0.0,
) -> SpongeProblem:
    """The decision for the next adaptation interval of one second.

    Parameters
    ----------
    profile
        Measured or fitted batch durations.
    rate
        Requests per second expected, all of which are counted as waiting.
    slo
        Seconds from sending to completion.
    communication
        cl_max, the largest communication latency among the expected requests, seconds.
    variant
        Formula of the paper or of the published code.
    queue
        Seconds that requests already waiting have left; counted by ``paper`` only, as the published code counts none.
    current_cores, change_cost
        As in `SpongeProblem`.
    """
    expected = [variant.slo_share * slo - communication] * math.ceil(rate)
    waiting = list(queue) if variant is SpongeVariant.PAPER else []
    return SpongeProblem(
        profile=profile,
        throughput=rate if variant.has_throughput_row else 0.0,
        remaining=tuple(sorted(expected + waiting)),
        current_cores=current_cores,
        change_cost=change_cost,
    )
