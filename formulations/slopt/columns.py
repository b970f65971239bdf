"""Provisioning under envelopes, as a choice of one column per module.

A column of a module is a configuration and a number of machines, with its cost and its latency bound under the
module's envelope. Only columns that no other one beats in both are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.pareto import pareto_front
from harpagon.formulations.slopt.cascade import ModuleSchedule
from harpagon.formulations.slopt.envelope import envelope_latencies, required_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.formulations.slopt.envelope import Envelope
    from harpagon.graphs import PathNetwork
    from harpagon.instances.instance import Configuration


@dataclass(frozen=True, slots=True)
class ProvisioningProblem:
    """Cheapest machines whose longest path of latency bounds meets the SLO.

    Attributes
    ----------
    network
        Paths of the pipeline; the other sequences follow its order.
    slo
        Seconds.
    envelopes
        Demand of every module.
    configurations
        Choices of every module.
    """

    network: PathNetwork
    slo: float
    envelopes: tuple[Envelope, ...]
    configurations: tuple[tuple[Configuration, ...], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """``machines`` in one configuration: dollars per hour, and a latency bound in seconds."""

    configuration: Configuration
    machines: int
    latency: float
    cost: float

    def schedule(self, shortest: float) -> ModuleSchedule:
        """As a module's schedule, whose requests take at least ``shortest`` seconds."""
        return ModuleSchedule(((self.configuration, self.machines),), self.latency, shortest)


def module_columns(envelope: Envelope, configurations: Sequence[Configuration], budget: float) -> tuple[Column, ...]:
    """Columns of one module that meet ``budget`` and that no other beats: cost ascending, latency descending."""
    columns = [column for one in configurations for column in _columns_of(envelope, one, budget)]
    return tuple(pareto_front(columns, lambda column: (column.cost, column.latency)))


_STEP = 0.01
"""Relative step between machine counts of large modules."""


def _columns_of(envelope: Envelope, configuration: Configuration, budget: float) -> list[Column]:
    """Machine counts from the fewest that meet the budget, in steps of at least `_STEP`."""
    rate = required_rate(envelope, configuration, budget)
    if math.isinf(rate):
        return []
    least = max(1, math.ceil(rate / configuration.throughput * (1 - 1e-12)))
    counts = _machine_counts(least)
    latencies = envelope_latencies(envelope, configuration, counts)
    return [
        Column(configuration, int(n), float(latency), float(n * configuration.price))
        for n, latency in zip(counts, latencies, strict=True)
        if latency <= budget * (1 + 1e-12)
    ]


def _machine_counts(least: int) -> np.ndarray:
    """Every count up to four times the least where they are few, else in steps of 1 %."""
    most = 4 * least + 8
    if most <= 1 / _STEP:
        return np.arange(least, most + 1)
    return np.unique(np.round(np.geomspace(least, most, 1 + int(math.log(most / least) / _STEP))).astype(int))


def problem_columns(problem: ProvisioningProblem) -> list[tuple[Column, ...]]:
    """Columns of every module, each within what the others' fastest configurations leave of the SLO."""
    shortest = [min(c.duration for c in configurations) for configurations in problem.configurations]
    lengths = problem.network.path_lengths(shortest)
    return [
        module_columns(envelope, configurations, least + problem.slo - length)
        for envelope, configurations, least, length in zip(
            problem.envelopes, problem.configurations, shortest, lengths, strict=True
        )
    ]
