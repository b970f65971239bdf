"""Sponge's decision taken while requests are served: from what the server sees to cores and batch size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harpagon.formulations.sponge.problem import SpongeDecision, SpongeVariant, interval_problem
from harpagon.heuristics.sponge import enumerate_sponge

if TYPE_CHECKING:
    from harpagon.instances.cpu.profile import CoreProfile


@dataclass(frozen=True, slots=True)
class Observation:
    """What a scaler sees at the start of an interval.

    Attributes
    ----------
    time
        Seconds.
    rate
        Requests per second that reached the server in the last interval.
    communications
        Seconds on the link of each of them.
    remaining
        Seconds left to each request that waits.
    """

    time: float
    rate: float
    communications: tuple[float, ...]
    remaining: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class IntervalPlanner:
    """Decides for the next interval as if it brought what the last one brought.

    Requests that arrive with less time left than the fastest batch takes are lost whatever is chosen, so they do not
    count in the rows. Where no pair meets the rows, the most cores serve, with the smallest batch that keeps up.

    Attributes
    ----------
    profile
        Batch durations to plan with.
    slo
        Seconds.
    variant
        Formula of the decision.
    change_cost
        kappa of the objective.
    sees_link
        Whether it knows what time each request lost on the link; where not, it plans for the whole SLO and ignores
        what waits, as autoscalers do that take the SLO for fixed.
    """

    profile: CoreProfile
    slo: float
    variant: SpongeVariant = SpongeVariant.PAPER
    change_cost: float = 0.0
    sees_link: bool = True

    def choose(self, seen: Observation, current_cores: int | None = None, share: int = 1) -> SpongeDecision | None:
        """The decision for one of ``share`` equal replicas; None where no pair meets the rows."""
        fastest = min(self.profile.durations.values())
        savable = [seconds for seconds in seen.communications if self.sees_link and seconds + fastest <= self.slo]
        queue = sorted(left for left in seen.remaining if self.sees_link and left >= fastest)
        problem = interval_problem(
            self.profile,
            seen.rate / share,
            self.slo,
            max(savable, default=0.0),
            self.variant,
            queue[::share],
            current_cores,
            self.change_cost,
        )
        return enumerate_sponge(problem)

    def choose_or_all(self, seen: Observation, current_cores: int | None = None) -> SpongeDecision:
        """As `choose`, with the most cores where no pair meets the rows."""
        return self.choose(seen, current_cores) or self._most_cores(seen.rate)

    def on_cores(self, cores: int) -> IntervalPlanner:
        """The same planner held to one core count."""
        return replace(self, profile=self.profile.with_cores([cores]))

    def _most_cores(self, rate: float) -> SpongeDecision:
        cores = self.profile.cores[-1]
        throughputs = {b: b / d for (c, b), d in self.profile.durations.items() if c == cores}
        enough = [batch for batch, throughput in throughputs.items() if throughput >= rate]
        batch = min(enough) if enough else max(throughputs, key=lambda b: throughputs[b])
        return SpongeDecision(cores, batch, float(cores))
