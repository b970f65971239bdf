"""Sponge's enumeration: the cheapest cores and batch size, found without a solver.

For a batch size b the rows ask only that l(b, c) stay below one number, the smallest of b / rate and
remaining_(k b) / (k + 1) over the batches k, since the first request of a batch has the least time left. So every
batch size needs one pass over its batches, and every pair one comparison. The enumeration is exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harpagon.formulations.sponge.problem import SpongeDecision

if TYPE_CHECKING:
    from harpagon.formulations.sponge.problem import SpongeProblem


def enumerate_sponge(problem: SpongeProblem) -> SpongeDecision | None:
    """The optimum of ``problem``, or None where no pair meets its rows."""
    longest = {batch: longest_duration(problem, batch) for batch in problem.profile.batches}
    best: SpongeDecision | None = None
    for (cores, batch), duration in problem.profile.durations.items():
        if duration <= longest[batch]:
            objective = problem.objective(cores, batch)
            if best is None or (objective, cores, batch) < (best.objective, best.cores, best.batch):
                best = SpongeDecision(cores, batch, objective)
    return best


def longest_duration(problem: SpongeProblem, batch: int) -> float:
    """Seconds that a batch of ``batch`` requests may take so that every row is met."""
    firsts = problem.remaining[::batch]
    deadline = min((left / (k + 1) for k, left in enumerate(firsts)), default=math.inf)
    return min(deadline, batch / problem.throughput) if problem.throughput else deadline
