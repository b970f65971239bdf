"""Runs a plan request by request, module by module in topological order, piece by piece in time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.physics import keeps_streams
from harpagon.formulations.problem import own_promise
from harpagon.graphs import PathNetwork
from harpagon.instances.policies import Dispatch
from harpagon.simulation.arrivals.bursts import BurstMeter
from harpagon.simulation.arrivals.processes import EvenArrivals
from harpagon.simulation.dispatch.conditions import Conditions
from harpagon.simulation.dispatch.dispatchers import default_padding, is_timed, module_dispatcher
from harpagon.simulation.dispatch.regulator import Regulator
from harpagon.simulation.flow.engine import Engine
from harpagon.simulation.flow.inlets import pipeline_edges, pipeline_inlets
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.flow.station import LateError, LinkedStation, PromptStation, Station
from harpagon.simulation.measure import PathMeasure, module_report
from harpagon.simulation.pacing import pipeline_paces
from harpagon.simulation.report import QUANTILES, PipelineReport, SimulationReport
from harpagon.simulation.runnable import require_schedules
from harpagon.simulation.together import plan_hosts, run_together, window

_LONG_WINDOW = 20.0
"""Seconds that pipelines on shared machines are run for at a time, where nothing is late."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.dispatch.padding import Padding
    from harpagon.simulation.dispatch.served import Dispatcher
    from harpagon.simulation.dispatch.turns import Host


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
    require_schedules(instance, plan)
    arrivals, conditions = arrivals or EvenArrivals(), conditions or Conditions()
    conditions.fits(plan)
    usual = padding in (None, default_padding(plan.dispatch)) and not random_fanout and conditions.within(plan.spare)
    even = isinstance(arrivals, EvenArrivals) and not arrivals.slow
    is_kept = paced in (None, is_timed(plan.dispatch)) and usual and (keeps_streams(plan.dispatch) or even)
    paced = is_timed(plan.dispatch) if paced is None else paced
    padding = padding or default_padding(plan.dispatch)
    chosen = _Choices(plan.dispatch, paced, padding, random_fanout, conditions, is_kept, seed, duration)
    runs = _simulated(instance, plan, arrivals, chosen)
    reports = [run.report(quantiles) for run in runs]
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


def _simulated(instance: Instance, plan: Plan, arrivals: Arrivals, choices: _Choices) -> list[_PipelineRun]:
    """Every pipeline run; those that share machines as if all results were in time, or else window by window."""
    if not plan.shared_machines():
        runs, streams = _set_up(instance, plan, arrivals, choices, Station)
        for run, pieces in zip(runs, streams, strict=True):
            run.run(pieces)
        return runs
    if choices.paced:
        with suppress(LateError):
            runs, streams = _set_up(instance, plan, arrivals, choices, PromptStation)
            run_together(runs, streams, _LONG_WINDOW, choices.duration)
            return runs
    runs, streams = _set_up(instance, plan, arrivals, choices, LinkedStation)
    run_together(runs, streams, window(plan), choices.duration)
    return runs


def _set_up(
    instance: Instance, plan: Plan, arrivals: Arrivals, choices: _Choices, station: type[Station]
) -> tuple[list[_PipelineRun], list[Iterator[np.ndarray]]]:
    """Runs of all pipelines, on machines that are free, and their arrivals."""
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    hosts = plan_hosts(plan)
    runs, streams = [], []
    for number, pipeline in enumerate(instance.pipelines):
        runs.append(_PipelineRun(pipeline, planned[pipeline.name], choices, number, hosts, station))
        generator = np.random.default_rng((choices.seed, number, 0))
        streams.append(arrivals.times(pipeline.rate, choices.duration, generator))
    return runs, streams


@dataclass(frozen=True, slots=True)
class _Choices:
    """How pipelines are run; ``is_kept`` says whether their plans claim anything for runs like this."""

    dispatch: Dispatch
    paced: bool
    padding: Padding
    random_fanout: bool
    conditions: Conditions
    is_kept: bool
    seed: int
    duration: float


class _PipelineRun:
    """One pipeline of a plan on the engine, and what is measured of it."""

    def __init__(
        self,
        pipeline: Pipeline,
        plan: PipelinePlan,
        choices: _Choices,
        number: int,
        hosts: Mapping[str, Host],
        station: type[Station],
    ) -> None:
        self._pipeline = pipeline
        self._plan = plan
        self._choices = choices
        self._seed = (choices.seed, number)
        self._network = PathNetwork.from_graph(pipeline.graph)
        self._modules = [plan.modules[name] for name in self._network.modules]
        self._paces = pipeline_paces(pipeline, plan, choices.dispatch)
        self._sinks = self._network.sinks
        held = choices.paced
        self._promise = plan.promise or own_promise(pipeline)
        bursty = held and keeps_streams(choices.dispatch) and self._promise.burst > 1
        self._entry = Regulator(self._promise.rate) if bursty else None
        holds = [pace.arrival if held else 0.0 for pace in self._paces]
        self._hosts = hosts
        self._stations = [
            station(self._dispatcher(index), len(self._modules[index].tuples), pace.departure if held else 0.0)
            for index, pace in enumerate(self._paces)
        ]
        edges = pipeline_edges(pipeline, self._network, self._seed if choices.random_fanout else None)
        inlets = pipeline_inlets(pipeline, self._network, holds)
        self._engine = Engine(self._network, edges, inlets, self._stations)
        self._allowance = max(0.0, max(pace.departure for pace in self._paces) - plan.latency)
        self._is_paced = keeps_streams(choices.dispatch)
        claimed = plan.latency if self._is_paced else max(pipeline.slo, plan.latency) + self._allowance
        self._measure = PathMeasure(pipeline.slo, claimed, choices.duration, len(self._sinks))
        self._meter = BurstMeter(self._promise.rate)

    def _dispatcher(self, index: int) -> Dispatcher:
        choices, module, name = self._choices, self._modules[index], self._network.modules[index]
        machine = module.pace.machine if module.pace is not None else ""
        return module_dispatcher(
            module,
            choices.dispatch,
            choices.padding,
            rate=module.rate,
            regulated=choices.paced and self._paces[index].regulated,
            service=choices.conditions.service((*self._seed, 1, index)),
            faults=choices.conditions.faults(name, module, choices.duration / 2),
            host=self._hosts.get(machine),
        )

    def run(self, pieces: Iterator[np.ndarray]) -> None:
        """Push all arrivals through the pipeline."""
        for times, following in _with_following(pieces, self._choices.duration):
            self.advance(times, following)

    def advance(self, times: np.ndarray, following: float) -> int:
        """Push one piece of arrivals through all modules; all others come at ``following`` or later.

        Returns
        -------
        int
            Results known, of all modules.
        """
        self._meter.add(times)
        first = self._measure.arrived
        self._measure.enter(times)
        entered = self._entry.spaced(times) if self._entry else times
        roots = first + np.arange(times.size)
        root = Flow(entered, roots, entered, following, self._measure.arrived, following)
        passed = self._engine.advance(root)
        for sink, index in enumerate(self._sinks):
            self._measure.add(sink, *passed[index])
        return sum(finish.size for _, finish in passed)

    def report(self, quantiles: Sequence[float]) -> PipelineReport:
        """What was measured."""
        modules = tuple(
            module_report(name, module, pace, station, self._choices.duration)
            for name, module, pace, station in zip(
                self._network.modules, self._modules, self._paces, self._stations, strict=True
            )
        )
        promised = self._choices.is_kept and self._meter.keeps(self._promise.burst)
        allowance = 0.0 if self._is_paced else self._allowance
        return self._measure.report(self._plan, modules, quantiles, allowance, self._meter.burst, promised)


def _with_following(pieces: Iterator[np.ndarray], duration: float) -> Iterator[tuple[np.ndarray, float]]:
    """Arrivals, one piece late, with the first time of the next piece."""
    held = np.empty(0)
    for piece in pieces:
        if piece.size:
            yield held, float(piece[0])
            held = piece
    yield held, duration
