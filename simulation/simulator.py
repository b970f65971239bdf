"""Runs a plan request by request, module by module in topological order, piece by piece in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import PathNetwork
from harpagon.instances.policies import Dispatch
from harpagon.simulation.arrivals.bursts import BurstMeter
from harpagon.simulation.arrivals.processes import EvenArrivals
from harpagon.simulation.dispatch.conditions import Conditions
from harpagon.simulation.dispatch.dispatchers import TIMED, default_padding, module_dispatcher
from harpagon.simulation.dispatch.regulator import Regulator
from harpagon.simulation.flow.inlets import pipeline_inlets
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.flow.station import Station
from harpagon.simulation.measure import PathMeasure, module_report
from harpagon.simulation.pacing import pipeline_paces
from harpagon.simulation.report import QUANTILES, PipelineReport, SimulationReport
from harpagon.simulation.runnable import require_schedules
from harpagon.solvers.capabilities import require_batches, require_own_machines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.dispatch.padding import Padding
    from harpagon.simulation.dispatch.served import Dispatcher


def simulate(
    instance: Instance,
    plan: Plan,
    arrivals: Arrivals | None = None,
    *,
    duration: float = 60.0,
    seed: int = 0,
    paced: bool | None = None,
    padding: Padding | None = None,
    random_fanout: bool = False,
    conditions: Conditions | None = None,
    quantiles: Sequence[float] = QUANTILES,
) -> SimulationReport:
    """Simulate every pipeline of a plan.

    Parameters
    ----------
    instance, plan
        A plan of this instance.
    arrivals
        Arrival process of every pipeline; None for even arrivals.
    duration
        Seconds simulated. Requests that are not done by then stay in flight and are not measured.
    seed
        The same seed gives the same run.
    paced
        Whether requests reach every module, and results leave it, a fixed time after their root request; None for the
        policies that need it.
    padding
        How batches are completed when requests are missing; None for the policy's own way, the only one of ``paced``.
    random_fanout
        Whether edges draw their fan-out at random instead of sending on a fixed fraction.
    conditions
        How machines differ from their profile; None for not at all.
    quantiles
        Shares of the requests whose end-to-end latency is reported.

    Raises
    ------
    InputError
        Where the plan cannot be run so.
    """
    require_batches(instance, "a simulation")
    require_schedules(instance, plan)
    require_own_machines(plan, "a simulation")
    arrivals, conditions = arrivals or EvenArrivals(), conditions or Conditions()
    conditions.fits(plan)
    usual = padding in (None, default_padding(plan.dispatch)) and not random_fanout and not conditions
    even = isinstance(arrivals, EvenArrivals) and not arrivals.slow
    is_kept = paced in (None, plan.dispatch in TIMED) and usual and (plan.dispatch is Dispatch.PACED or even)
    paced = plan.dispatch in TIMED if paced is None else paced
    padding = padding or default_padding(plan.dispatch)
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    reports: list[PipelineReport] = []
    for number, pipeline in enumerate(instance.pipelines):
        chosen = _Choices(plan.dispatch, paced, padding, random_fanout, conditions, is_kept, (seed, number), duration)
        run = _PipelineRun(pipeline, planned[pipeline.name], chosen)
        generator = np.random.default_rng((seed, number, 0))
        reports.append(run.run(arrivals.times(pipeline.rate, duration, generator), quantiles))
    return SimulationReport(
        instance.name,
        plan.dispatch,
        str(arrivals),
        str(conditions),
        duration,
        seed,
        paced,
        padding.value,
        tuple(reports),
    )


@dataclass(frozen=True, slots=True)
class _Choices:
    """How one pipeline is run; ``is_kept`` says whether its plan claims anything for runs like this."""

    dispatch: Dispatch
    paced: bool
    padding: Padding
    random_fanout: bool
    conditions: Conditions
    is_kept: bool
    seed: tuple[int, int]
    duration: float


class _PipelineRun:
    """The stations of one pipeline and the inlets before them, in topological order."""

    def __init__(self, pipeline: Pipeline, plan: PipelinePlan, choices: _Choices) -> None:
        self._pipeline = pipeline
        self._plan = plan
        self._choices = choices
        self._network = PathNetwork.from_graph(pipeline.graph)
        self._modules = [plan.modules[name] for name in self._network.modules]
        self._paces = pipeline_paces(pipeline, plan, choices.dispatch)
        self._sinks = [index for index, heads in enumerate(self._network.successors) if not heads]
        held = choices.paced
        bursty = held and choices.dispatch is Dispatch.PACED and pipeline.burst > 1
        self._entry = Regulator(pipeline.rate) if bursty else None
        holds = [pace.arrival if held else 0.0 for pace in self._paces]
        fanout_seed = choices.seed if choices.random_fanout else None
        self._inlets = pipeline_inlets(pipeline, self._network, holds, fanout_seed)
        self._stations = [
            Station(self._dispatcher(index), len(self._modules[index].tuples), pace.departure if held else 0.0)
            for index, pace in enumerate(self._paces)
        ]

    def _dispatcher(self, index: int) -> Dispatcher:
        choices, module, name = self._choices, self._modules[index], self._network.modules[index]
        return module_dispatcher(
            module,
            choices.dispatch,
            choices.padding,
            rate=module.rate,
            regulated=choices.paced and self._paces[index].regulated,
            service=choices.conditions.service((*choices.seed, 1, index)),
            faults=choices.conditions.faults(name, module, choices.duration / 2),
        )

    def run(self, pieces: Iterator[np.ndarray], quantiles: Sequence[float]) -> PipelineReport:
        """Push all arrivals through the pipeline."""
        duration = self._choices.duration
        allowance = max(0.0, max(pace.departure for pace in self._paces) - self._plan.latency)
        is_paced = self._choices.dispatch is Dispatch.PACED
        claimed = self._plan.latency if is_paced else max(self._pipeline.slo, self._plan.latency) + allowance
        measure = PathMeasure(self._pipeline.slo, claimed, duration, len(self._sinks))
        meter = BurstMeter(self._pipeline.rate)
        for times, following in _with_following(pieces, duration):
            meter.add(times)
            self._advance(times, following, measure)
        modules = tuple(
            module_report(name, module, pace, station, duration)
            for name, module, pace, station in zip(
                self._network.modules, self._modules, self._paces, self._stations, strict=True
            )
        )
        promised = self._choices.is_kept and meter.keeps(self._pipeline.burst)
        return measure.report(self._plan, modules, quantiles, allowance if not is_paced else 0.0, meter.burst, promised)

    def _advance(self, times: np.ndarray, following: float, measure: PathMeasure) -> None:
        """Push one piece of arrivals through all modules."""
        first = measure.arrived
        measure.enter(times)
        entered = self._entry.spaced(times) if self._entry else times
        roots = first + np.arange(times.size)
        root = Flow(entered, roots, entered, following, measure.arrived, following)
        left: list[Flow] = []
        for index, (inlet, station) in enumerate(zip(self._inlets, self._stations, strict=True)):
            leaving, finish = station.process(inlet.receive(root, left))
            left.append(leaving)
            if index in self._sinks:
                measure.add(self._sinks.index(index), leaving, finish)


def _with_following(pieces: Iterator[np.ndarray], duration: float) -> Iterator[tuple[np.ndarray, float]]:
    """Arrivals, one piece late, with the first time of the next piece."""
    held = np.empty(0)
    for piece in pieces:
        if piece.size:
            yield held, float(piece[0])
            held = piece
    yield held, duration
