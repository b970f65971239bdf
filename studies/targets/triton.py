"""A planned module on a real Triton server: ``python -m studies.targets.triton --server SITE-PACKAGES``.

The files of `harpagon deploy` are served by the Triton that ``nvidia-pytriton`` ships, on this machine's cores, with
workers that sleep for 85 % of the profiled duration. Requests come evenly at the planned rate. With the planned
machines none may be later than d + b/W; with one fewer most are. The command exits with 1 where that is not so.

    python3 -m venv server && server/bin/pip install nvidia-pytriton
    python -m studies.targets.triton --server server/lib/python3.11/site-packages
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harpagon.instances.policies import Dispatch
from harpagon.simulation.deploy import TARGETS, TargetName, deployment_files, write_deployment
from harpagon.simulation.serving.http import HOST
from harpagon.simulation.serving.kserve import infer_path
from studies.targets.measured import RATE, SHARE, TRIES, Measured, free_port, measure, planned_module, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harpagon.simulation.deploy.tuples import ServedTuple

_TENSORS = """backend: "python"
input [ { name: "INPUT" data_type: TYPE_FP32 dims: [ 1 ] } ]
output [ { name: "OUTPUT" data_type: TYPE_FP32 dims: [ 1 ] } ]
"""
_MODEL = """import sys
import time

sys.path.append({site!r})
import numpy as np
import triton_python_backend_utils as triton


class TritonPythonModel:
    def execute(self, requests):
        time.sleep({seconds})
        counts = [len(triton.get_input_tensor_by_name(request, "INPUT").as_numpy()) for request in requests]
        outputs = [triton.Tensor("OUTPUT", np.zeros((count, 1), np.float32)) for count in counts]
        return [triton.InferenceResponse([output]) for output in outputs]
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with all machines and with one fewer."""
    parser = argparse.ArgumentParser(prog="python -m studies.targets.triton", description=__doc__)
    parser.add_argument("--server", type=Path, required=True, help="site-packages in which nvidia-pytriton is")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds for which requests are sent")
    parser.add_argument("--dispatch", type=Dispatch, default=Dispatch.TC, help="policy to plan for: tc or paced")
    chosen = parser.parse_args(arguments)
    instance, plan, part = planned_module(RATE, chosen.dispatch)
    files = deployment_files(instance, plan, TARGETS[TargetName.TRITON])
    print(files["cpu-1/sleeper/config.pbtxt"])
    kept = _measured(chosen.server.resolve(), files, part, 0, chosen.seconds)
    fewer = _measured(chosen.server.resolve(), files, part, 1, chosen.seconds)
    return verdict(kept, fewer)


def _measured(site: Path, files: dict[str, str], part: ServedTuple, lost: int, seconds: float) -> Measured:
    """Under a server of its own, again where other work on this machine blurred the measurement."""
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory() as folder:
            write_deployment(files, Path(folder))
            repository = Path(folder) / "cpu-1"
            _complete(repository / "sleeper", site, part, lost)
            with _server(site, repository) as port:
                found = asyncio.run(measure(port, infer_path(part.module), part, part.machines - lost, seconds))
        print(found, "(blurred)" if found.is_blurred else "")
        if not found.is_blurred:
            break
    return found


def _complete(model: Path, site: Path, part: ServedTuple, lost: int) -> None:
    """What the user adds to the files: backend, tensors and the model itself."""
    config = model / "config.pbtxt"
    count = f"count: {part.machines} "
    written = config.read_text()
    assert count in written
    config.write_text(written.replace(count, f"count: {part.machines - lost} ") + _TENSORS)
    (model / "1" / "MODEL").unlink()
    (model / "1" / "model.py").write_text(_MODEL.format(site=str(site), seconds=SHARE * part.duration))


def _backends(home: Path, folder: Path) -> Path:
    """The server's backends with the one for the Python of this process among them."""
    backends = folder / "backends"
    shutil.copytree(home / "backends", backends)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = "triton_python_backend_stub"
    shutil.copy(home / "python_backend_stubs" / version / stub, backends / "python" / stub)
    return backends


@contextmanager
def _server(site: Path, repository: Path) -> Iterator[int]:
    """Triton over a model repository, on a free port of this machine alone."""
    home, port = site / "pytriton" / "tritonserver", free_port()
    command = [
        str(home / "bin" / "tritonserver"),
        f"--model-repository={repository}",
        f"--backend-directory={_backends(home, repository.parent)}",
        f"--http-address={HOST}",
        f"--http-port={port}",
        "--allow-grpc=false",
        "--allow-metrics=false",
        "--disable-auto-complete-config",
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(site / "nvidia_pytriton.libs")}
    with (repository.parent / "log").open("w+") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield port
        except SystemExit:
            log.seek(0)
            print(log.read(), file=sys.stderr)
            raise
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
