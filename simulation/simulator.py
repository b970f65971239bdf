"""Runs a plan request by request, module by module in topological order, piece by piece in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.formulations.problem import pipeline_problem
from harpagon.simulation.arrivals import EvenArrivals
from harpagon.simulation.dispatchers import SAFE, default_padding, interval, module_dispatcher
from harpagon.simulation.fanout import Edge, FixedFanout, RandomFanout
from harpagon.simulation.flow import Flow
from harpagon.simulation.guard import path_allowance
from harpagon.simulation.joins import PositionJoin, RootJoin, SingleInput
from harpagon.simulation.measure import PathMeasure, module_report
from harpagon.simulation.pacing import Regulator, module_spacing
from harpagon.simulation.report import QUANTILES, PipelineReport, SimulationReport
from harpagon.simulation.station import Station

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import PipelinePlan, Plan
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.arrivals import Arrivals
    from harpagon.simulation.joins import Join
    from harpagon.simulation.padding import Padding


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
        Whether results are held until the module's bound has passed; None for the policies that need it.
    padding
        How batches are completed when requests are missing; None for the policy's own way.
    random_fanout
        Whether edges draw their fan-out at random instead of sending on a fixed fraction.
    quantiles
        Shares of the requests whose end-to-end latency is reported.
    """
    paced = plan.dispatch in SAFE if paced is None else paced
    padding = padding or default_padding(plan.dispatch)
    arrivals = arrivals or EvenArrivals()
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    reports: list[PipelineReport] = []
    for number, pipeline in enumerate(instance.pipelines):
        run = _PipelineRun(instance, pipeline, planned[pipeline.name], plan.dispatch, paced, padding)
        run.connect(random_fanout, (seed, number))
        generator = np.random.default_rng((seed, number, 0))
        reports.append(run.run(arrivals.times(pipeline.rate, duration, generator), duration, quantiles))
    return SimulationReport(
        instance.name, plan.dispatch, str(arrivals), duration, seed, paced, padding.value, tuple(reports)
    )


class _PipelineRun:
    """The stations of one pipeline and the edges between them, in topological order."""

    def __init__(
        self,
        instance: Instance,
        pipeline: Pipeline,
        plan: PipelinePlan,
        dispatch: Dispatch,
        paced: bool,
        padding: Padding,
    ) -> None:
        self._pipeline = pipeline
        self._plan = plan
        self._dispatch = dispatch
        self._paced = paced
        problem = pipeline_problem(instance, pipeline)
        self._network = problem.network
        self._rates = [module.rate for module in problem.modules]
        self._modules = [plan.modules[name] for name in self._network.modules]
        self._spacing = module_spacing(pipeline, plan, dispatch)
        self._stations = [
            Station(
                module_dispatcher(module, dispatch, padding, rate=rate, lead=spacing.lead if paced else 0.0),
                len(module.tuples),
                module.latency if paced else 0.0,
            )
            for module, rate, spacing in zip(self._modules, self._rates, self._spacing, strict=True)
        ]
        self._regulators = [
            Regulator(1.0 / interval(module)) if paced and spacing.regulated else None
            for module, spacing in zip(self._modules, self._spacing, strict=True)
        ]
        self._edges: list[list[Edge]] = []
        self._joins: list[Join] = []

    def connect(self, random_fanout: bool, seed: tuple[int, int]) -> None:
        """Make the edges and joins; edges that leave one module draw the same random numbers."""
        names = self._network.modules
        for head, pairs in enumerate(self._network.predecessors):
            fanouts = [self._pipeline.graph.edges[names[tail], names[head]].get("fanout", 1.0) for tail, _ in pairs]
            self._edges.append(
                [
                    Edge(
                        RandomFanout(fanout, np.random.default_rng((*seed, tail + 1)))
                        if random_fanout
                        else FixedFanout(fanout),
                        transfer,
                    )
                    for fanout, (tail, transfer) in zip(fanouts, pairs, strict=True)
                ]
            )
            rates = [self._rates[tail] * fanout for fanout, (tail, _) in zip(fanouts, pairs, strict=True)]
            self._joins.append(self._join(head, rates, random_fanout))

    def run(self, pieces: Iterator[np.ndarray], duration: float, quantiles: Sequence[float]) -> PipelineReport:
        """Push all arrivals through the pipeline."""
        measure = PathMeasure(self._pipeline.slo, path_allowance(self._pipeline, self._plan, self._dispatch), duration)
        for flow in _root_flows(pieces, duration):
            self._advance(flow, measure)
        modules = tuple(
            module_report(name, module, spacing, station, duration)
            for name, module, spacing, station in zip(
                self._network.modules, self._modules, self._spacing, self._stations, strict=True
            )
        )
        return measure.report(self._plan, modules, quantiles)

    def _advance(self, root: Flow, measure: PathMeasure) -> None:
        measure.arrived += root.ready.size
        leaving: list[Flow] = []
        for index, station in enumerate(self._stations):
            pairs = self._network.predecessors[index]
            flows = [edge.carry(leaving[tail]) for edge, (tail, _) in zip(self._edges[index], pairs, strict=True)]
            flow = self._joins[index].merge(flows) if flows else root
            regulator = self._regulators[index]
            left, finish = station.process(regulator.pass_on(flow) if regulator else flow)
            leaving.append(left)
            if not self._network.successors[index]:
                measure.add(left.origin, finish)

    def _join(self, head: int, rates: list[float], random_fanout: bool) -> Join:
        if len(rates) < 2:
            return SingleInput()
        every = self._pipeline.graph.nodes[self._network.modules[head]].get("join", "all") == "all"
        return PositionJoin(rates) if every and not random_fanout else RootJoin(len(rates), every)


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
    return Flow(times, first + np.arange(times.size), times, watermark, first + times.size)
