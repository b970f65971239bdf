"""Serves a plan on this machine for a while, and measures."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import PathNetwork
from harpagon.simulation.dispatch.dispatchers import module_dispatcher
from harpagon.simulation.pacing import pipeline_paces
from harpagon.simulation.serving.client import Answers, send_evenly
from harpagon.simulation.serving.clock import Lag, sleep_until
from harpagon.simulation.serving.http import HttpClient, HttpServer
from harpagon.simulation.serving.kserve import infer_path
from harpagon.simulation.serving.machines import SleepingWorker, machine
from harpagon.simulation.serving.modules import LiveModule
from harpagon.simulation.serving.pipelines import LivePipeline
from harpagon.simulation.serving.report import ServedModule, ServedPipeline, ServingReport
from harpagon.simulation.simulator import simulate
from harpagon.simulation.together import plan_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.instances.instance import Configuration, Instance, Pipeline
    from harpagon.instances.plan import ModulePlan, PipelinePlan, Plan
    from harpagon.simulation.dispatch.turns import Host
    from harpagon.simulation.pacing import Pace
    from harpagon.simulation.report import PipelineReport
    from harpagon.simulation.serving.machines import OnnxModel, Worker

QUANTILES = (0.5, 0.99)
_TICK = 2e-3
"""Seconds between two looks for what is due; shorter ones cost more of a core than they gain."""
_STALL = 5e-3
"""Seconds by which timers are late when this machine has stalled."""
_GLANCE = 0.25
"""Seconds between two reports of how far a run is."""
_PATIENCE = 5.0
"""Seconds beyond the bound after which an answer is given up."""


def serve_plan(
    instance: Instance,
    plan: Plan,
    *,
    duration: float = 10.0,
    share: float = 0.9,
    losses: Mapping[str, int] | None = None,
    models: Mapping[str, OnnxModel] | None = None,
    progress: Callable[[float, ServingReport], None] | None = None,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> ServingReport:
    """Serve every pipeline of a plan at its promised rate, evenly, over loopback.

    Workers sleep, so that a machine of any price can be had here, or run ONNX models; everything else is real: sockets,
    timers, queues. Modules that take turns on one machine have a worker each, of which one works at a time.

    Parameters
    ----------
    instance, plan
        A checked plan of this instance.
    duration
        Seconds for which requests are sent.
    share
        Share of its profiled duration for which a machine sleeps: the rest is room for this machine's network and
        timers.
    losses
        Module to a number of machines that are not started, of its last tuples first.
    models
        Model to the ONNX file that its machines run; all others sleep.
    progress
        Called a few times a second with the seconds since the start and the report so far.
    loop
        Makes the event loop; None for the usual one.

    Raises
    ------
    InputError
        Where an ONNX file cannot be run as planned.
    """
    simulated = simulate(instance, plan, duration=min(duration, 60.0), paced=True)
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(
            _serve(instance, plan, duration, share, losses or {}, models or {}, progress, simulated.pipelines)
        )


async def _serve(
    instance: Instance,
    plan: Plan,
    duration: float,
    share: float,
    losses: Mapping[str, int],
    models: Mapping[str, OnnxModel],
    progress: Callable[[float, ServingReport], None] | None,
    simulated: tuple[PipelineReport, ...],
) -> ServingReport:
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    lag, hosts = Lag(), {name: (host, asyncio.Lock()) for name, host in plan_hosts(plan).items()}

    def report() -> ServingReport:
        pipelines = tuple(line.report(told) for line, told in zip(lines, simulated, strict=True))
        return ServingReport(instance.name, duration, share, lag.largest, pipelines)

    async with AsyncExitStack() as stack:
        lines = [
            await _line(stack, pipeline, planned[pipeline.name], plan, share, losses, models, hosts)
            for pipeline in instance.pipelines
        ]
        aside = [asyncio.create_task(_tick([module for line in lines for module in line.modules], lag))]
        if progress is not None:
            aside.append(asyncio.create_task(_watch(progress, report)))
        try:
            await asyncio.gather(*(line.drive(duration, lag) for line in lines))
        finally:
            for task in aside:
                task.cancel()
    return report()


async def _watch(progress: Callable[[float, ServingReport], None], report: Callable[[], ServingReport]) -> None:
    """Tell ``progress`` how far the run is, time after time."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    while True:
        await asyncio.sleep(_GLANCE)
        progress(loop.time() - begin, report())


async def _tick(modules: list[LiveModule], lag: Lag) -> None:
    """Let every module do what is due, time after time.

    After a stall of this machine, requests of the past are still on their way: they are heard before time-outs are.
    """
    loop = asyncio.get_running_loop()
    while True:
        instant = loop.time() + _TICK
        await sleep_until(instant)
        lag.note(instant)
        if loop.time() > instant + _STALL:
            await asyncio.sleep(_STALL)
        for module in modules:
            module.tick()


class _Line:
    """One pipeline with its machines, its server and its client."""

    def __init__(
        self, pipeline: Pipeline, plan: PipelinePlan, paces: tuple[Pace, ...], modules: list[LiveModule]
    ) -> None:
        self.modules = modules
        self._pipeline = pipeline
        self._plan = plan
        self._paces = paces
        self._bound = max(plan.latency, *(pace.departure for pace in paces))
        self._client: HttpClient | None = None
        self._answers = Answers()

    async def open(self, stack: AsyncExitStack) -> None:
        """Start the server of the pipeline."""
        holds = {module.name: pace.arrival for module, pace in zip(self.modules, self._paces, strict=True)}
        live = LivePipeline(self._pipeline, {module.name: module for module in self.modules}, holds)
        server = await stack.enter_async_context(HttpServer({infer_path(self._pipeline.name): live.infer}))
        self._client = HttpClient(server.port)
        stack.callback(self._client.close)

    async def drive(self, duration: float, lag: Lag) -> None:
        """Send the promised requests."""
        assert self._client is not None
        path, rate = infer_path(self._pipeline.name), self._pipeline.rate
        await send_evenly(self._client, path, rate, duration, self._bound + _PATIENCE, lag, self._answers)

    def report(self, simulated: PipelineReport) -> ServedPipeline:
        """What was measured so far."""
        seen = np.array(self._answers.latencies)
        quantiles = {share: float(np.quantile(seen, share)) for share in QUANTILES} if seen.size else {}
        modules = [
            ServedModule(
                module.name,
                max(map(sum, zip(self._plan.modules[module.name].tuple_latencies, pace.allowances, strict=True))),
                told.latency.maximum,
                max(module.latencies, default=0.0),
                len(module.latencies),
                module.batches,
                module.longest_share,
            )
            for module, pace, told in zip(self.modules, self._paces, simulated.modules, strict=True)
        ]
        return ServedPipeline(
            self._pipeline.name,
            self._pipeline.slo,
            self._bound,
            simulated.latency.maximum,
            float(seen.max(initial=0.0)),
            quantiles,
            seen.size,
            int(np.count_nonzero(seen > self._bound)),
            self._answers.unanswered,
            tuple(modules),
        )


async def _line(
    stack: AsyncExitStack,
    pipeline: Pipeline,
    plan: PipelinePlan,
    whole: Plan,
    share: float,
    losses: Mapping[str, int],
    models: Mapping[str, OnnxModel],
    hosts: Mapping[str, tuple[Host, asyncio.Lock]],
) -> _Line:
    paces = pipeline_paces(pipeline, plan, whole.dispatch)
    modules = []
    for name, pace in zip(PathNetwork.from_graph(pipeline.graph).modules, paces, strict=True):
        module = plan.modules[name]
        model = models.get(pipeline.graph.nodes[name]["model"])
        host, turn = hosts.get(module.pace.machine if module.pace else "", (None, None))
        turns = [*([None] * (len(module.tuples) - 1)), turn]
        machines = [
            [
                await stack.enter_async_context(machine(name, _worker(part.configuration, share, model), own))
                for _ in range(count)
            ]
            for part, own, count in zip(module.tuples, turns, _started(module, losses.get(name, 0)), strict=True)
        ]
        dispatcher = module_dispatcher(module, whole.dispatch, rate=module.rate, regulated=pace.regulated, host=host)
        modules.append(LiveModule(name, module, dispatcher, machines))
    line = _Line(pipeline, plan, paces, modules)
    await line.open(stack)
    return line


def _worker(configuration: Configuration, share: float, model: OnnxModel | None) -> Worker:
    return SleepingWorker(share * configuration.mean) if model is None else model.worker(configuration)


def _started(module: ModulePlan, lost: int) -> list[int]:
    """Machines per tuple; ``lost`` fewer, of the last tuples first, but one of each."""
    counts = list(module.counts())
    for index in reversed(range(len(counts))):
        fewer = min(lost, counts[index] - 1)
        counts[index] -= fewer
        lost -= fewer
    return counts
