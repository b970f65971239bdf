"""The cheapest machines for a whole trace that is known beforehand.

In every period k module m has an envelope. A choice j = (configuration, budget) of a module needs d_{m,k,j} machines
in period k. Machines are paid p per hour while they run; starting one costs its start-up time S at the same price.

    minimise    sum over m, k, c of p_c (P n_{m,k,c} + S u_{m,k,c})
    choose      sum over j of x_{m,j} = 1                                            for every module m
    serve       n_{m,k,c} >= sum over j of configuration c of d_{m,k,j} x_{m,j}      for every m, k, c
    start       u_{m,k,c} >= n_{m,k,c} - n_{m,k-1,c},  u >= 0                        for every m, k > 0, c
    precede     s_m - s_j - sum of L_{j} x_{j} >= transfer                           for every edge
    finish      s_m + sum of L_m x_m <= SLO                                          for every sink

Configurations and budgets hold for the whole trace, as those of the online systems do; machine counts change freely.
Budgets are multiples of SLO / `BUDGETS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.slopt.envelope import WINDOWS

if TYPE_CHECKING:
    from harpagon.formulations.slopt.envelope import Envelope
    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Configuration

BUDGETS = 100
"""Steps of the budget grid from 0 to the SLO."""


@dataclass(frozen=True, slots=True)
class HindsightProblem:
    """A trace that is known.

    Attributes
    ----------
    network
        Paths of the pipeline; modules in its order.
    slo
        Seconds.
    envelopes
        Per module the envelope of every period.
    configurations
        Per module its choices.
    period, startup
        Seconds.
    """

    network: PathNetwork
    slo: float
    envelopes: tuple[tuple[Envelope, ...], ...]
    configurations: tuple[tuple[Configuration, ...], ...]
    period: float
    startup: float


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A configuration and a budget in seconds for the whole trace; ``needs``: machines in every period, shape (K,)."""

    configuration: Configuration
    budget: float
    needs: np.ndarray


def module_choices(problem: HindsightProblem, module: int) -> list[Choice]:
    """Every choice of a module whose budget a batch fits in."""
    counts = np.array([envelope.counts for envelope in problem.envelopes[module]])
    rates = np.array([envelope.rate for envelope in problem.envelopes[module]])
    choices = []
    for configuration in problem.configurations[module]:
        for step in range(1, BUDGETS + 1):
            slack = step * problem.slo / BUDGETS - configuration.duration
            if slack > 0:
                required = np.maximum(rates, ((counts + configuration.batch) / (WINDOWS + slack)).max(axis=1))
                needs = np.maximum(1, np.ceil(required / configuration.throughput - 1e-9)).astype(np.int64)
                choices.append(Choice(configuration, step * problem.slo / BUDGETS, needs))
    return choices
