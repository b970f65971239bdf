"""A planned module on a real Ray Serve: ``python -m studies.targets.ray_serve``.

The ``serve.yaml`` of `harpagon deploy` is served by Ray on this machine, with replicas that sleep for 85 % of the
profiled duration. Requests come evenly at the planned rate. With the planned replicas none may be later than 2 d; with
one fewer most are. The command exits with 1 where that is not so. Needs ``pip install 'ray[serve]'``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from harpagon.instances.policies import Dispatch
from harpagon.simulation.deploy import TARGETS, TargetName, deployment_files
from harpagon.simulation.serving.http import HOST
from studies.targets.measured import RATE, SHARE, TRIES, Measured, free_port, measure, planned_module, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.simulation.deploy.tuples import ServedTuple

_START = 300
"""Seconds in which replicas are up, on a machine that has other work too."""
_APPLICATION = """import asyncio

from ray import serve
from starlette.responses import JSONResponse


@serve.deployment(name="sleeper")
class Sleeper:
    def reconfigure(self, config: dict) -> None:
        self.infer.set_max_batch_size(config["max_batch_size"])
        self.infer.set_batch_wait_timeout_s(config["batch_wait_timeout_s"])

    @serve.batch
    async def infer(self, requests: list) -> list:
        await asyncio.sleep({seconds})
        return [{{}} for _ in requests]

    async def __call__(self, request) -> JSONResponse:
        return JSONResponse(await self.infer(request.url.path))


app = Sleeper.bind()
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with all replicas and with one fewer."""
    parser = argparse.ArgumentParser(prog="python -m studies.targets.ray_serve", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds for which requests are sent")
    chosen = parser.parse_args(arguments)
    instance, plan, part = planned_module(RATE, Dispatch.ROUND_ROBIN)
    text = deployment_files(instance, plan, TARGETS[TargetName.RAY])["serve.yaml"]
    print(text)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sleeper.py").write_text(_APPLICATION.format(seconds=SHARE * part.duration))
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
        kept = _measured(yaml.safe_load(text), part, 0, chosen.seconds)
        fewer = _measured(yaml.safe_load(text), part, 1, chosen.seconds)
    return verdict(kept, fewer)


def _measured(document: dict[str, Any], part: ServedTuple, lost: int, seconds: float) -> Measured:
    """Under a Ray of its own, again where other work on this machine blurred the measurement."""
    (application,) = document["applications"]
    application["deployments"][0]["num_replicas"] = part.machines - lost
    for _ in range(TRIES):
        with _serving(document) as port:
            found = asyncio.run(measure(port, application["route_prefix"], part, part.machines - lost, seconds))
        print(found, "(blurred)" if found.is_blurred else "")
        if not found.is_blurred:
            break
    return found


@contextmanager
def _serving(document: dict[str, Any]) -> Iterator[int]:
    """Ray Serve under a config, on a free port of this machine alone; what `serve run` does."""
    import ray
    from ray import serve
    from ray.serve._private.api import serve_start
    from ray.serve.schema import ServeDeploySchema

    port = free_port()
    ray.init(num_cpus=16, include_dashboard=False, log_to_driver=False, _node_ip_address=HOST)
    try:
        client = serve_start(http_options={"host": HOST, "port": port})
        client.deploy_apps(ServeDeploySchema(**document))
        for application in document["applications"]:
            client._wait_for_application_running(application["name"], timeout_s=_START)
        yield port
    finally:
        serve.shutdown()  # type: ignore[no-untyped-call, unused-ignore]
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
