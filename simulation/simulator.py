"""Runs a plan request by request, module by module in topological order, piece by piece in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import PathNetwork, propagate_rates
from harpagon.simulation.arrivals.bursts import BurstMeter
from harpagon.simulation.arrivals.processes import EvenArrivals
from harpagon.simulation.dispatch.conditions import Conditions
from harpagon.simulation.dispatch.dispatchers import SAFE, default_padding, interval, module_dispatcher, wave_dispatcher
from harpagon.simulation.dispatch.padding import Padding
from harpagon.simulation.flow.inlets import pipeline_inlets
from harpagon.simulation.flow.pieces import Flow
from harpagon.simulation.flow.station import Station
from harpagon.simulation.measure import PathMeasure, module_report
from harpagon.simulation.pacing import Regulator, pipeline_paces, without_pacing
from harpagon.simulation.report import QUANTILES, PipelineReport, SimulationReport
from harpagon.solvers.capabilities import require_batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.arrivals.processes import Arrivals
    from harpagon.simulation.dispatch.served import Dispatcher
    from harpagon.simulation.pacing import Pace


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
        Whether results are held until a fixed time after their root request; None for the policies that need it.
        Where arrivals are even and fan-out fixed, modules of one tuple then serve them in step
        (`harpagon.simulation.in_step`).
    padding
        How batches are completed when requests are missing; None for the policy's own way.
    random_fanout
        Whether edges draw their fan-out at random instead of sending on a fixed fraction.
    conditions
        How machines differ from their profile; None for not at all.
    quantiles
        Shares of the requests whose end-to-end latency is reported.
    """
    require_batches(instance, "a simulation")
    arrivals, conditions = arrivals or EvenArrivals(), conditions or Conditions()
    conditions.fits(plan)
    usual = paced is None and padding is None and not random_fanout and not conditions
    promised = usual and (isinstance(arrivals, EvenArrivals) and not arrivals.slow)
    paced = plan.dispatch in SAFE if paced is None else paced
    padding = padding or default_padding(plan.dispatch)
    even = isinstance(arrivals, EvenArrivals) and not random_fanout
    in_step = paced and even and padding is Padding.TIME_OUT
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    reports: list[PipelineReport] = []
    for number, pipeline in enumerate(instance.pipelines):
        fanout_seed = (seed, number) if random_fanout else None
        shop = _Shop(conditions, (seed, number), duration / 2)
        run = _PipelineRun(pipeline, planned[pipeline.name], plan.dispatch, paced, padding, fanout_seed, in_step, shop)
        generator = np.random.default_rng((seed, number, 0))
        reports.append(run.run(arrivals.times(pipeline.rate, duration, generator), duration, quantiles, promised))
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
class _Shop:
    """Machines of one pipeline: the conditions they work under, a seed, and when faults happen."""

    conditions: Conditions
    seed: tuple[int, ...]
    time: float


class _PipelineRun:
    """The stations of one pipeline and the inlets before them, in topological order."""

    def __init__(
        self,
        pipeline: Pipeline,
        plan: PipelinePlan,
        dispatch: Dispatch,
        paced: bool,
        padding: Padding,
        fanout_seed: tuple[int, int] | None,
        in_step: bool,
        shop: _Shop,
    ) -> None:
        self._pipeline = pipeline
        self._plan = plan
        self._dispatch = dispatch
        self._shop = shop
        self._network = PathNetwork.from_graph(pipeline.graph)
        self._modules = [plan.modules[name] for name in self._network.modules]
        paces = pipeline_paces(pipeline, plan, dispatch, in_step=in_step)
        self._allowance = max(0.0, max(pace.departure for pace in paces) - plan.latency)
        self._paces = paces if paced else tuple(map(without_pacing, paces))
        arriving = propagate_rates(pipeline.graph, pipeline.rate)
        rates = [arriving[name] for name in self._network.modules]
        regulators = [
            Regulator(1.0 / interval(module)) if pace.regulated else None
            for module, pace in zip(self._modules, self._paces, strict=True)
        ]
        holds = [pace.arrival for pace in self._paces]
        self._inlets = pipeline_inlets(pipeline, self._network, holds, regulators, fanout_seed)
        self._stations = [
            Station(self._dispatcher(index, pace, padding, rate), len(module.tuples), pace.departure)
            for index, (module, rate, pace) in enumerate(zip(self._modules, rates, self._paces, strict=True))
        ]

    def _dispatcher(self, index: int, pace: Pace, padding: Padding, rate: float) -> Dispatcher:
        module, name = self._modules[index], self._network.modules[index]
        if pace.service is not None and not self._shop.conditions:
            return wave_dispatcher(module, pace.service)
        service = self._shop.conditions.service((*self._shop.seed, 1, index))
        faults = self._shop.conditions.faults(name, module, self._shop.time)
        return module_dispatcher(
            module, self._dispatch, padding, rate=rate, lead=pace.lead, service=service, faults=faults
        )

    def run(
        self, pieces: Iterator[np.ndarray], duration: float, quantiles: Sequence[float], promised: bool
    ) -> PipelineReport:
        """Push all arrivals through the pipeline."""
        claimed = max(self._pipeline.slo, self._plan.latency) + self._allowance
        sinks = [index for index, heads in enumerate(self._network.successors) if not heads]
        measure = PathMeasure(self._pipeline.slo, claimed, duration, len(sinks))
        meter = BurstMeter(self._pipeline.rate)
        for flow in _root_flows(pieces, duration):
            meter.add(flow.ready)
            self._advance(flow, measure, sinks)
        modules = tuple(
            module_report(name, module, pace, station, duration)
            for name, module, pace, station in zip(
                self._network.modules, self._modules, self._paces, self._stations, strict=True
            )
        )
        return measure.report(self._plan, modules, quantiles, self._allowance, meter.burst, promised)

    def _advance(self, root: Flow, measure: PathMeasure, sinks: list[int]) -> None:
        """Push one piece of arrivals through all modules."""
        measure.enter(root.ready)
        left: list[Flow] = []
        for index, (inlet, station) in enumerate(zip(self._inlets, self._stations, strict=True)):
            leaving, finish = station.process(inlet.receive(root, left))
            left.append(leaving)
            if index in sinks:
                measure.add(sinks.index(index), leaving, finish)


def _root_flows(pieces: Iterator[np.ndarray], duration: float) -> Iterator[Flow]:
    """Arrivals as flows, one piece late, so that the watermark of each is the first time of the next."""
    held, first = np.empty(0), 0
    for piece in pieces:
        if piece.size:
            yield _root_flow(held, first, float(piece[0]))
            first += held.size
            held = piece
    yield _root_flow(held, first, duration)


def _root_flow(times: np.ndarray, first: int, watermark: float) -> Flow:
    return Flow(times, first + np.arange(times.size), times, watermark, first + times.size, watermark)
