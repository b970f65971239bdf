"""Triton Inference Server: a model repository per hardware type, one model per module."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from harpagon.simulation.deploy.tuples import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.deploy.tuples import ServedTuple


def triton_files(tuples: Sequence[ServedTuple]) -> dict[str, str]:
    """Path to text of every ``config.pbtxt``.

    One server hosts all modules of a hardware type, each on GPUs of its own, so that all machines of a module share
    its queue. Backend and tensors are the model's: Triton completes them for ONNX and TensorRT files.
    """
    several = len({part.pipeline for part in tuples}) > 1
    numbers: dict[str, count[int]] = {}
    files: dict[str, str] = {}
    for part in tuples:
        name = slug(part.pipeline, part.module) if several else slug(part.module)
        gpus = numbers.setdefault(part.hardware, count())
        devices = [next(gpus) for _ in range(part.machines)]
        files[f"{slug(part.hardware)}/{name}/config.pbtxt"] = _config(name, part, devices)
        files[f"{slug(part.hardware)}/{name}/1/MODEL"] = f"Put the file of {part.model} here, then remove this one.\n"
    return files


def _config(name: str, part: ServedTuple, devices: list[int]) -> str:
    lines = [f'name: "{name}"', f"max_batch_size: {part.batch}"]
    if part.batch > 1:
        lines += ["dynamic_batching {", f"  max_queue_delay_microseconds: {part.wait}", "}"]
    lines += ["instance_group [", *_instances(part, devices), "]"]
    return "\n".join(lines) + "\n"


def _instances(part: ServedTuple, devices: list[int]) -> list[str]:
    if part.cores is not None:
        return [f"  {{ count: {part.machines} kind: KIND_CPU }}"]
    return [f"  {{ count: 1 kind: KIND_GPU gpus: [ {', '.join(map(str, devices))} ] }}"]
