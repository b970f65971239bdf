"""Parts of SLOpt that need no baseline systems: ``python -m studies.slopt.parts``.

Envelopes and cascade blocking on steady load, seeds 100 and up; the time of a planning step and of a decision.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harpagon.formulations.problem import pipeline_problem
from harpagon.formulations.slopt.cascade import cascade_envelopes, graph_fanouts
from harpagon.formulations.slopt.envelope import Envelope
from harpagon.instances.library.slopt_pipelines import PEAKS, PIPELINES, slopt_instance
from harpagon.simulation.flow.drop import Drop
from harpagon.simulation.slopt.engine import Assignment, Observation
from harpagon.simulation.slopt.run import SystemOptions, plan_reference, reference_rate, run_slopt
from harpagon.simulation.slopt.stages import Estimation
from harpagon.simulation.slopt.tuning import Tuner, TuningOptions
from harpagon.simulation.slopt.workload import generate_workload
from harpagon.solvers.slopt.provision import provision, shortest_batches
from studies.slopt.tables import markdown, value_at_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.solvers.slopt.provision import PlanningStep

WINDOW_LENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Seconds."""
BLOCKING_HEADROOMS = (1.0, 1.03, 1.08)
STEADY_SECONDS = 12
_FLEET = 64
_DAY = 40
"""Seconds of another day."""


def windows_above(times: np.ndarray, envelope: Envelope, length: float, end: float) -> float:
    """Share of windows, starting every half length up to ``end`` seconds, with more arrivals than the envelope."""
    starts = np.arange(1.0, end - length, length / 2)
    counts = np.searchsorted(times, starts + length) - np.searchsorted(times, starts)
    return float((counts > envelope.at(np.array([length]))[0] + 1e-9).mean())


def envelope_table(seeds: Sequence[int]) -> pd.DataFrame:
    """Share of windows above the estimate, in percent, over all modules but the first, on steady load.

    All estimates of a module have its measured mean: the cascade's envelope; rate x fan-out x length; and the same
    plus 2.326 standard deviations of a Poisson process.
    """
    rows = []
    for pipeline, seed in product(PIPELINES, seeds):
        instance = slopt_instance(pipeline)
        workload = generate_workload("steady", PEAKS[pipeline], STEADY_SECONDS, seed)
        options = SystemOptions(TuningOptions(fleet=_FLEET), Drop.NONE)
        step = plan_reference(instance, reference_rate(workload), options)
        run = run_slopt(instance, workload, options, seed, step)
        cascade = _cascade_at(instance, float(workload.rates.mean()), step)
        for module in range(1, len(cascade)):
            times = run.module_arrivals[module]
            rate = np.searchsorted(times, workload.duration) / workload.duration
            estimates = {
                "cascade": cascade[module].scaled(rate / cascade[module].rate),
                "rate x fan-out": Envelope.of_rate(rate),
                "Poisson": Envelope.of_process(rate),
            }
            rows += [
                {"pipeline": pipeline, "window ms": length * 1e3, "estimate": name, "above": share * 100}
                for name, envelope in estimates.items()
                for length in WINDOW_LENGTHS
                for share in (windows_above(times, envelope, length, workload.duration),)
            ]
    table = pd.DataFrame(rows).pivot_table(index=["pipeline", "estimate"], columns="window ms", values="above")
    table.columns = [f"{length:g} ms" for length in table.columns]
    return table.round(2).reset_index()


def _cascade_at(instance: Instance, rate: float, step: PlanningStep) -> list[Envelope]:
    pipeline = instance.pipelines[0]
    problem = pipeline_problem(instance, pipeline)
    columns = step.provisioning.columns
    least = shortest_batches(problem, columns)
    schedules = [
        replace(column.schedule(shortest), latency=budget)
        for column, shortest, budget in zip(columns, least, step.budgets, strict=True)
    ]
    fanouts = graph_fanouts(pipeline.graph)
    return cascade_envelopes(Envelope.of_process(rate), pipeline.graph, problem.network, schedules, fanouts)


def blocking_table(seeds: Sequence[int]) -> pd.DataFrame:
    """P50 and P99 at equal cost on steady load, without drops: bursts provisioned for, paced away, both, neither.

    Every answer runs at `BLOCKING_HEADROOMS`; latencies are read off at the cost of provisioning for bursts at the
    first of them, in $/h. Paced modules hold results until the plan's bound.
    """
    rows = []
    for pipeline, seed in product(PIPELINES, seeds):
        instance = slopt_instance(pipeline)
        workload = generate_workload("steady", PEAKS[pipeline], STEADY_SECONDS, seed)
        frontiers = {}
        for name, (estimation, paced) in _ANSWERS.items():
            tuning = TuningOptions(estimation, margin=False, fleet=_FLEET, paced=paced)
            options = SystemOptions(tuning, Drop.NONE)
            step = plan_reference(instance, reference_rate(workload), options)
            frontiers[name] = [
                run_slopt(instance, workload, replace(options, tuning=replace(tuning, headroom=h)), seed, step)
                for h in BLOCKING_HEADROOMS
            ]
        cost = frontiers["provisioned for"][0].cost_per_hour
        for name, runs in frontiers.items():
            costs = [run.cost_per_hour for run in runs]
            rows.append(
                {
                    "pipeline": pipeline,
                    "bursts": name,
                    "$/h": cost,
                    "P50 ms": value_at_cost(costs, [run.quantile(0.5) * 1e3 for run in runs], cost),
                    "P99 ms": value_at_cost(costs, [run.quantile(0.99) * 1e3 for run in runs], cost),
                    "in time %": value_at_cost(costs, [run.attainment * 100 for run in runs], cost),
                }
            )
    grouped = pd.DataFrame(rows).groupby(["pipeline", "bursts"], sort=False)
    means, deviations = grouped.mean().round(1), grouped.std().fillna(0.0).round(1)
    return (means.astype(str) + " ± " + deviations.astype(str)).reset_index()


_ANSWERS = {
    "neither": (Estimation.FANOUT, False),
    "provisioned for": (Estimation.CASCADE, False),
    "paced away": (Estimation.FANOUT, True),
    "both": (Estimation.CASCADE, True),
}


def planning_table() -> pd.DataFrame:
    """CPU seconds of a planning step and of an online decision at 64 and at 1,000 machines: the least of five runs."""
    rows = []
    for pipeline, machines in product(PIPELINES, (64, 1000)):
        instance = slopt_instance(pipeline)
        planned = replace(instance.pipelines[0], rate=PEAKS[pipeline] * machines / _FLEET)
        times = []
        for _ in range(5):
            begin = time.process_time()
            step = provision(instance, planned)
            times.append(time.process_time() - begin)
        rows.append(
            {
                "pipeline": pipeline,
                "fleet": machines,
                "machines planned": sum(column.machines for column in step.provisioning.columns),
                "rounds": step.rounds,
                "settled": step.settled,
                "planning step, CPU s": round(min(times), 3),
                "decision by the trend, CPU ms": round(_decision_time(instance, planned, step, machines) * 1e3, 1),
                "by analogy, CPU ms": round(_decision_time(instance, planned, step, machines, days=20) * 1e3, 1),
            }
        )
    return pd.DataFrame(rows)


def _decision_time(instance: Instance, pipeline: Pipeline, step: PlanningStep, fleet: int, days: int = 0) -> float:
    """Least CPU seconds of five decisions of the tuner under steady arrivals at the pipeline's rate.

    With ``days`` other days of 40 s, decisions are made by analogy.
    """
    problem = pipeline_problem(instance, pipeline)
    columns = step.provisioning.columns
    assignments = [Assignment(c.configuration, c.machines, b) for c, b in zip(columns, step.budgets, strict=True)]
    options = TuningOptions(fleet=fleet)
    tuner = Tuner(pipeline, problem.network, assignments, shortest_batches(problem, columns), options)
    if days:
        noise = np.random.default_rng(0).uniform(0.9, 1.1, (days, _DAY))
        tuner.train(list(pipeline.rate * noise), [np.ones(_DAY)] * days)
    times = []
    for second in range(5):
        arrivals = tuple((second + np.linspace(0, 1, round(module.rate))).tolist() for module in problem.modules)
        counts = tuple(assignment.machines for assignment in assignments)
        observation = Observation(second + 1.0, arrivals, {}, (), counts, 0)
        begin = time.process_time()
        tuner.decide(observation)
        times.append(time.process_time() - begin)
    return min(times)


def main() -> None:
    """Measure the parts and print their tables as Markdown."""
    parser = argparse.ArgumentParser(description="Parts of SLOpt without baseline systems")
    parser.add_argument("--seeds", type=int, default=10, help="how many of the seeds from 100 on")
    seeds = range(100, 100 + parser.parse_args().seeds)
    for table in (planning_table(), envelope_table(seeds), blocking_table(seeds)):
        print(f"\n{markdown(table)}", flush=True)


if __name__ == "__main__":
    main()
