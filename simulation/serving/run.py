"""Serves a plan on this machine for a while, and measures."""

from __future__ import annotations

import asyncio
import math
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import numpy as np

from harpagon.graphs import PathNetwork
from harpagon.simulation.dispatch.dispatchers import module_dispatcher
from harpagon.simulation.pacing import pipeline_paces
from harpagon.simulation.serving.client import send_evenly
from harpagon.simulation.serving.clock import Lag, sleep_until
from harpagon.simulation.serving.http import HttpClient, HttpServer
from harpagon.simulation.serving.kserve import infer_path
from harpagon.simulation.serving.machines import sleeping_machine
from harpagon.simulation.serving.modules import LiveModule
from harpagon.simulation.serving.pipelines import LivePipeline
from harpagon.simulation.serving.report import ServedModule, ServedPipeline, ServingReport
from harpagon.simulation.simulator import simulate
from harpagon.solvers.capabilities import require_own_machines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.instances.instance import Instance, Pipeline
    from harpagon.instances.plan import ModulePlan, PipelinePlan, Plan
    from harpagon.simulation.pacing import Pace
    from harpagon.simulation.report import PipelineReport
    from harpagon.simulation.serving.client import Answers

QUANTILES = (0.5, 0.99)
_TICK = 2e-3
"""Seconds between two looks for what is due; shorter ones cost more of a core than they gain."""
_STALL = 5e-3
"""Seconds by which timers are late when this machine has stalled."""
_PATIENCE = 5.0
"""Seconds beyond the bound after which an answer is given up."""


def serve_plan(
    instance: Instance,
    plan: Plan,
    *,
    duration: float = 10.0,
    share: float = 0.9,
    losses: Mapping[str, int] | None = None,
    progress: Callable[[str, bool], None] | None = None,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> ServingReport:
    """Serve every pipeline of a plan at its promised rate, evenly, over loopback.

    Workers sleep, so that a machine of any price can be had here; everything else is real: sockets, timers, queues.

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
    progress
        Called with the pipeline and whether a request was late, for every answer.
    loop
        Makes the event loop; None for the usual one.

    Raises
    ------
    InputError
        Where modules of the plan share machines.
    """
    require_own_machines(plan, "a run")
    simulated = simulate(instance, plan, duration=min(duration, 60.0), paced=True)
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(_serve(instance, plan, duration, share, losses or {}, progress, simulated.pipelines))


async def _serve(
    instance: Instance,
    plan: Plan,
    duration: float,
    share: float,
    losses: Mapping[str, int],
    progress: Callable[[str, bool], None] | None,
    simulated: tuple[PipelineReport, ...],
) -> ServingReport:
    planned = {pipeline.name: pipeline for pipeline in plan.pipelines}
    lag = Lag()
    async with AsyncExitStack() as stack:
        lines = [
            await _line(stack, pipeline, planned[pipeline.name], plan, share, losses) for pipeline in instance.pipelines
        ]
        ticking = asyncio.create_task(_tick([module for line in lines for module in line.modules], lag))
        try:
            answers = await asyncio.gather(*(line.drive(duration, lag, progress) for line in lines))
        finally:
            ticking.cancel()
    reports = (line.report(seen, told) for line, seen, told in zip(lines, answers, simulated, strict=True))
    return ServingReport(instance.name, duration, share, lag.largest, tuple(reports))


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

    async def open(self, stack: AsyncExitStack) -> None:
        """Start the server of the pipeline."""
        holds = {module.name: pace.arrival for module, pace in zip(self.modules, self._paces, strict=True)}
        live = LivePipeline(self._pipeline, {module.name: module for module in self.modules}, holds)
        server = await stack.enter_async_context(HttpServer({infer_path(self._pipeline.name): live.infer}))
        self._client = HttpClient(server.port)
        stack.callback(self._client.close)

    async def drive(self, duration: float, lag: Lag, progress: Callable[[str, bool], None] | None) -> Answers:
        """Send the promised requests."""
        assert self._client is not None

        def answered(latency: float) -> None:
            if progress is not None:
                progress(self._pipeline.name, latency > self._bound)

        path, rate = infer_path(self._pipeline.name), self._pipeline.rate
        return await send_evenly(self._client, path, rate, duration, self._bound + _PATIENCE, lag, answered)

    def report(self, answers: Answers, simulated: PipelineReport) -> ServedPipeline:
        """What was measured."""
        seen = np.array(answers.latencies)
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
            answers.unanswered,
            tuple(modules),
        )


async def _line(
    stack: AsyncExitStack,
    pipeline: Pipeline,
    plan: PipelinePlan,
    whole: Plan,
    share: float,
    losses: Mapping[str, int],
) -> _Line:
    paces = pipeline_paces(pipeline, plan, whole.dispatch)
    modules = []
    for name, pace in zip(PathNetwork.from_graph(pipeline.graph).modules, paces, strict=True):
        module = plan.modules[name]
        machines = [
            [
                await stack.enter_async_context(sleeping_machine(name, share * part.configuration.mean))
                for _ in range(count)
            ]
            for part, count in zip(module.tuples, _started(module, losses.get(name, 0)), strict=True)
        ]
        dispatcher = module_dispatcher(module, whole.dispatch, rate=module.rate, regulated=pace.regulated)
        modules.append(LiveModule(name, module, dispatcher, machines))
    line = _Line(pipeline, plan, paces, modules)
    await line.open(stack)
    return line


def _started(module: ModulePlan, lost: int) -> list[int]:
    """Machines per tuple; ``lost`` fewer, of the last tuples first, but one of each."""
    counts = [math.ceil(part.machines) for part in module.tuples]
    for index in reversed(range(len(counts))):
        fewer = min(lost, counts[index] - 1)
        counts[index] -= fewer
        lost -= fewer
    return counts
