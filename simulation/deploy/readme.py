"""The page beside the files: which latency each module keeps, under which conditions, and what nobody guarantees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.figures import figure
from harpagon.simulation.deploy.kubernetes import NODE_LABEL
from harpagon.simulation.deploy.ray_serve import ROUTER
from harpagon.simulation.deploy.target_name import TargetName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.simulation.deploy.targets import Target
    from harpagon.simulation.deploy.tuples import ServedTuple

_STEPS = {
    TargetName.TRITON: """\
Each folder is the model repository of one server with GPUs of that type: put every model's file
into its folder `1/`, add backend and tensors to `config.pbtxt` where Triton does not complete them, and start
`tritonserver --model-repository=FOLDER`. All GPUs of a module must be in one server: two servers are two queues, and
each then has the bound of its own machines.""",
    TargetName.RAY: f"""\
`serve deploy serve.yaml` on a cluster that has these GPUs. `import_path` names a module of yours with
one deployment class a module of the pipeline, whose batch method takes what `user_config` says:

    @serve.deployment
    class Detect:
        def reconfigure(self, config: dict) -> None:
            self.infer.set_max_batch_size(config["max_batch_size"])
            self.infer.set_batch_wait_timeout_s(config["batch_wait_timeout_s"])

        @serve.batch
        async def infer(self, images: list) -> list: ...

Requests must be dealt in turn: `{ROUTER}`, not the default router.""",
    TargetName.K8S: f"""\
`kubectl apply -f .` after labelling the nodes (`kubectl label node NODE {NODE_LABEL}=NAME`), and with
your images in place of `MODEL:latest`. A server reads `MAX_BATCH_SIZE` and `MAX_QUEUE_DELAY_MICROSECONDS`: a batch
closes when it is full, or that long after its first request. The Services are headless: a caller resolves all pods of
a module and deals its requests to them in turn. Behind an ordinary Service they are spread at random, and 2 d does
not hold.""",
}
_OWN_BATCHES = f"""`kubectl apply -f .` after labelling the nodes (`kubectl label node NODE {NODE_LABEL}=NAME`), and
with your images in place of `MODEL:latest`. The Services are headless: a caller resolves all pods of a module and deals
each its share. Behind an ordinary Service requests are spread at random, whatever a machine carries."""

_COLUMNS = """`wait` is the longest that a batch waits for more requests, rounded down to whole microseconds. `start` is
when a request counts as arrived at the module, after its root request; the bound runs from there. `apart` is how far
apart requests of the module must come."""

_CAPACITY = """Machines whose batch is *its own* are servers that batch by themselves. Their latency is the percentile
that was measured at their rate, no bound, and holds for arrivals like those of the measurement, each machine getting
its share."""

_OPEN = """- Requests closer together than `apart`: the results of a batch, or of a fan-out, come several at once. The
  caller holds each request until `start` after its root request, and spaces those of one root.
- Root requests faster than planned, or more at once than one.
- Batches that take longer than their profile, queues elsewhere, restarts, and whatever else shares a machine.
- Time on the network beyond the plan's transfer times."""


def readme(instance: Instance, plan: Plan, target: Target, tuples: Sequence[ServedTuple]) -> str:
    """Text of ``README.md``."""
    batched = any(not part.is_capacity for part in tuples)
    kept = f"{target.name} keeps {target.keeps}" if batched else "Its servers batch by themselves"
    parts = [
        f"# {plan.instance} on {target.name}",
        f"${plan.cost:.4f}/h, planned for `{plan.dispatch}` dispatch. {kept}.",
        _STEPS[target.name] if batched else _OWN_BATCHES,
        "## Bounds",
        _table(tuples),
        "\n".join(_pipelines(instance, plan)),
        _COLUMNS,
        *([_CAPACITY] if any(part.is_capacity for part in tuples) else []),
        "## Not guaranteed",
        _OPEN if not any(part.tuples > 1 for part in tuples) else _OPEN + "\n" + _shares(tuples),
    ]
    return "\n\n".join(parts) + "\n"


def _table(tuples: Sequence[ServedTuple]) -> str:
    rows = [
        f"| {part.pipeline} | {part.module} | {part.machines} x {part.hardware} | {part.batch or 'its own'} "
        f"| {part.duration * 1e3:.6g} ms | {part.wait / 1e3:.6g} ms | {part.bound * 1e3:.6g} ms "
        f"| {part.start * 1e3:.6g} ms | {1e3 / part.part.rate:.6g} ms |"
        for part in tuples
    ]
    head = "| pipeline | module | machines | batch | duration | wait | bound | start | apart |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows])


def _pipelines(instance: Instance, plan: Plan) -> list[str]:
    slos = {pipeline.name: pipeline for pipeline in instance.pipelines}
    return [
        f"{item.name}: {figure(slos[item.name].rate, 6)} req/s, {item.latency * 1e3:.6g} ms of {item.slo * 1e3:.6g} ms."
        for item in plan.pipelines
    ]


def _shares(tuples: Sequence[ServedTuple]) -> str:
    """Modules of several tuples: how much each must get."""
    lines = [
        f"  {part.module}: {part.machines} x {part.hardware} {part.label} up to {figure(part.part.rate, 6)} req/s"
        for part in tuples
        if part.tuples > 1
    ]
    return "\n".join(["- Modules of several tuples, unless the caller deals each its share, evenly spaced:", *lines])
