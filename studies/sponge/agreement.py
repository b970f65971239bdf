"""Pyomo, CP-SAT and the enumeration on a grid of decisions: the same optimum, and how long each takes."""

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from harpagon.formulations.sponge.problem import SpongeVariant, interval_problem
from harpagon.heuristics.sponge import enumerate_sponge
from harpagon.solvers.sponge import solve_sponge, solve_sponge_cp_sat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.sponge.problem import SpongeDecision, SpongeProblem
    from harpagon.instances.cpu.profile import CoreProfile

RATES = (1.0, 10.0, 20.0, 37.5, 50.0, 75.0, 100.0, 140.0)
COMMUNICATIONS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.2)
SLO = 1.0


def agreement_rows(
    profile: CoreProfile,
    rates: Sequence[float] = RATES,
    communications: Sequence[float] = COMMUNICATIONS,
    current_cores: int | None = None,
    change_cost: float = 0.0,
) -> pd.DataFrame:
    """One row per variant, rate (req/s) and cl_max (s): each method's (cores, batch) or None, and seconds."""
    rows = []
    for variant, rate, communication in product(SpongeVariant, rates, communications):
        problem = interval_problem(
            profile, rate, SLO, communication, variant, current_cores=current_cores, change_cost=change_cost
        )
        enumerated = enumerate_sponge(problem)
        pyomo, cp_sat = solve_sponge(problem), solve_sponge_cp_sat(problem)
        answers = [_pair(enumerated), _pair(pyomo.plan), _pair(cp_sat.plan)]
        rows.append(
            {
                "variant": variant.value,
                "rate_rps": rate,
                "communication_s": communication,
                "enumeration": answers[0],
                "pyomo": answers[1],
                "cp_sat": answers[2],
                "agree": len(set(answers)) == 1,
                "enumeration_s": _enumeration_time(problem),
                "pyomo_s": pyomo.build_time + pyomo.solve_time,
                "cp_sat_s": cp_sat.build_time + cp_sat.solve_time,
            }
        )
    return pd.DataFrame(rows)


def _enumeration_time(problem: SpongeProblem) -> float:
    """Seconds, the least of five runs: one run is shorter than a scheduler's time slice."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        enumerate_sponge(problem)
        times.append(time.perf_counter() - started)
    return min(times)


def _pair(decision: SpongeDecision | None) -> tuple[int, int] | None:
    return None if decision is None else (decision.cores, decision.batch)
