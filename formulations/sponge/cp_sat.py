"""Sponge's integer program in CP-SAT: cores, batch size and batch duration as integers, tied by a table.

Durations are rounded up and remaining times down to whole nanoseconds, so a pair that the model accepts meets the
rows exactly; a pair is lost only where it meets a row by less than a nanosecond per batch and request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

if TYPE_CHECKING:
    from harpagon.formulations.sponge.problem import SpongeProblem

_PER_SECOND = 10**9
_PER_CORE = 10**6
"""Units of the objective per core: batch weight and cost of change are rounded to a millionth of a core."""


@dataclass(frozen=True, slots=True)
class SpongeCpSat:
    """The model with the variables that hold the decision."""

    model: cp_model.CpModel
    cores: cp_model.IntVar
    batch: cp_model.IntVar


def build_sponge_cp_sat(problem: SpongeProblem) -> SpongeCpSat:
    """Model of `harpagon.formulations.sponge.problem`; one Boolean a batch size switches its deadline rows on.

    For a batch size b only the first request of each batch, i = k b, needs its row
    (k + 1) duration <= remaining_i: it has the least time left of its batch.
    """
    profile = problem.profile
    model = cp_model.CpModel()
    cores = model.new_int_var_from_domain(cp_model.Domain.from_values(profile.cores), "cores")
    batch = model.new_int_var_from_domain(cp_model.Domain.from_values(profile.batches), "batch")
    rows = [
        (c, b, math.ceil(d * _PER_SECOND), round(problem.objective(c, b) * _PER_CORE))
        for (c, b), d in profile.durations.items()
    ]
    duration = model.new_int_var(0, max(row[2] for row in rows), "duration")
    objective = model.new_int_var(0, max(row[3] for row in rows), "objective")
    model.add_allowed_assignments([cores, batch, duration, objective], rows)
    for b in profile.batches:
        _add_batch_rows(model, problem, b, batch, duration)
    model.minimize(objective)
    return SpongeCpSat(model, cores, batch)


def _add_batch_rows(
    model: cp_model.CpModel, problem: SpongeProblem, b: int, batch: cp_model.IntVar, duration: cp_model.IntVar
) -> None:
    """Throughput and deadline rows that hold while the batch size is b."""
    chosen = model.new_bool_var(f"batch_is_{b}")
    model.add(batch == b).only_enforce_if(chosen)
    model.add(batch != b).only_enforce_if(~chosen)
    if problem.throughput:
        model.add(duration <= math.floor(b / problem.throughput * _PER_SECOND)).only_enforce_if(chosen)
    for k, left in enumerate(problem.remaining[::b]):
        model.add((k + 1) * duration <= math.floor(left * _PER_SECOND)).only_enforce_if(chosen)
