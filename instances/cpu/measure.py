"""Measure how long an ONNX model takes per batch on c cores of this machine, with ONNX Runtime.

Needs the extra ``harpagon[profile]``. Every point is measured alone: one session with c intra-operator threads, some
batches to warm up, then single timed batches of random inputs.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from harpagon.instances.cpu.profile import CoreProfile
from harpagon.instances.errors import InputError
from harpagon.instances.files.profiles import SHARES
from harpagon.instances.files.writing import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_KINDS = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


CPU = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """How to measure.

    Attributes
    ----------
    cores, batches
        The grid.
    shapes
        Input name to its dimensions after the batch; the name "" stands for the only input.
    warmup, repeats
        Batches before the clock starts, and timed batches, per point.
    seed
        Of the random inputs.
    provider
        Execution provider of ONNX Runtime; ``cores`` are threads of this machine in any case.
    """

    cores: tuple[int, ...]
    batches: tuple[int, ...]
    shapes: Mapping[str, tuple[int, ...]]
    warmup: int = 3
    repeats: int = 20
    seed: int = 0
    provider: str = CPU


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """Seconds of every timed batch of ``batch`` requests on ``cores`` cores."""

    cores: int
    batch: int
    seconds: tuple[float, ...]

    def slower_by(self, overhead: float) -> MeasuredPoint:
        """Every batch ``overhead`` seconds longer: what a server adds that is not measured here."""
        return replace(self, seconds=tuple(one + overhead for one in self.seconds))

    def quantile(self, share: float) -> float:
        """Smallest measured duration that at least ``share`` of the batches kept, seconds."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def measure_onnx(path: Path, settings: ProfileSettings, progress: Callable[[], None]) -> list[MeasuredPoint]:
    """Measure every point of the grid; ``progress`` is called after each.

    Raises
    ------
    InputError
        Where ONNX Runtime is absent, the model cannot be loaded or run, the grid asks for more cores than there are,
        or a dimension of an input is left open.
    """
    available = available_cores()
    if max(settings.cores) > available:
        problem = f"{max(settings.cores)} cores asked for, this machine has {available}"
        raise InputError("--cores", "", problem, "Profile on a larger machine, or ask for fewer cores")
    points = []
    for cores in settings.cores:
        session = open_session(path, cores, settings.provider)
        for batch in settings.batches:
            inputs = random_inputs(path, session, batch, settings.shapes, settings.seed)
            points.append(MeasuredPoint(cores, batch, tuple(_timed(path, session, inputs, settings))))
            progress()
    return points


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measured_profile(name: str, points: Sequence[MeasuredPoint], quantile: float) -> CoreProfile:
    """The profile that plans with the given quantile of every point.

    Where instance files know that quantile, its mean and the quantiles up to it are stated too.
    """
    durations = {(point.cores, point.batch): point.quantile(quantile) for point in points}
    stated = [share for share in SHARES.values() if share <= quantile] if quantile in SHARES.values() else []
    spread = {
        (point.cores, point.batch): (fmean(point.seconds), tuple((share, point.quantile(share)) for share in stated))
        for point in points
        if stated
    }
    return CoreProfile(name, durations, spread)


def write_measured_points(path: Path, points: Sequence[MeasuredPoint], quantile: float) -> None:
    """Write the points as a core profile table, with the median and two upper quantiles beside ``latency_ms``."""
    lines = [
        f"# Measured with ONNX Runtime; latency_ms is the {quantile:g} quantile of {len(points[0].seconds)} batches.",
        "batch,cores,latency_ms,p50_ms,p90_ms,p99_ms",
    ]
    for point in points:
        figures = (point.quantile(share) * 1e3 for share in (quantile, 0.5, 0.9, 0.99))
        lines.append(f"{point.batch},{point.cores}," + ",".join(f"{figure:.4f}" for figure in figures))
    write_text(path, "\n".join(lines) + "\n")


def execution_provider(wanted: str) -> str:
    """Execution provider of the installed ONNX Runtime by a short name such as ``cpu`` or ``cuda``.

    Raises
    ------
    InputError
        Where the ONNX Runtime at hand has no such provider, or there is none.
    """
    providers: list[str] = _onnxruntime("--provider").get_available_providers()
    short = {name.removesuffix("ExecutionProvider").lower(): name for name in providers}
    if wanted.lower() not in short:
        step = "Install the ONNX Runtime of your device, such as onnxruntime-gpu"
        raise InputError("--provider", wanted, f"this ONNX Runtime has {', '.join(short)}", step)
    return short[wanted.lower()]


def _onnxruntime(source: str) -> Any:
    try:
        import onnxruntime
    except ImportError:
        problem = "measuring needs ONNX Runtime"
        raise InputError(source, "", problem, "Install it with pip install 'harpagon[profile]'") from None
    return onnxruntime


def open_session(path: Path, cores: int, provider: str = CPU) -> Any:
    """Session of ONNX Runtime on ``cores`` threads; raises as `measure_onnx`."""
    onnxruntime = _onnxruntime(str(path))
    if not path.is_file():
        raise InputError(str(path), "", "there is no such file", "Check the path")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a waiting thread must not burn a core
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
    except Exception as error:  # ONNX Runtime raises its own exception types, which share no base but Exception
        raise InputError(str(path), "", f"no model ONNX Runtime can load ({_first_line(error)})", "Check it") from None
    if session.get_providers()[0] != provider:  # without a word, ONNX Runtime falls back to the CPU
        problem = f"ONNX Runtime cannot use {provider} here and fell back to {session.get_providers()[0]}"
        raise InputError(str(path), "--provider", problem, "Check the driver and the libraries of the device")
    return session


def random_inputs(
    path: Path, session: Any, batch: int, shapes: Mapping[str, tuple[int, ...]], seed: int = 0
) -> dict[str, NDArray[Any]]:
    """Random inputs for one batch; raises as `measure_onnx`."""
    import numpy as np

    generator = np.random.default_rng(seed)
    described = session.get_inputs()
    unknown = set(shapes) - {item.name for item in described} - {""}
    if unknown or ("" in shapes and len(described) > 1):
        names = ", ".join(item.name for item in described)
        raise InputError("--shape", ", ".join(sorted(unknown)), f"the inputs of {path} are {names}", "Name one of them")
    inputs = {}
    for item in described:
        shape = (batch, *_dimensions(path, item, batch, shapes))
        if item.type not in _KINDS:
            raise InputError(str(path), f"input {item.name}", f"is a {item.type}", "Only plain tensors are measured")
        inputs[item.name] = generator.random(shape).astype(_KINDS[item.type])
    return inputs


def _dimensions(path: Path, item: Any, batch: int, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Dimensions of an input after the batch: as given, or as fixed in the model."""
    place = f"input {item.name}"
    declared = item.shape
    if isinstance(declared[0], int) and declared[0] != batch:
        problem = f"takes batches of {declared[0]} only"
        raise InputError(str(path), place, problem, f"Use --batches {declared[0]}, or export it with a dynamic batch")
    given = shapes.get(item.name, shapes.get(""))
    if given is None and not all(isinstance(size, int) for size in declared[1:]):
        example = ",".join(str(size) if isinstance(size, int) else "N" for size in declared[1:])
        raise InputError(str(path), place, f"has open dimensions {example}", f"Give --shape {item.name}={example}")
    sizes = given if given is not None else tuple(declared[1:])
    fits = len(sizes) == len(declared) - 1 and all(
        not isinstance(fixed, int) or fixed == size for fixed, size in zip(declared[1:], sizes, strict=False)
    )
    if not fits:
        raise InputError("--shape", item.name, f"{sizes} does not fit the model's {declared[1:]}", "Correct it")
    return sizes


def _timed(path: Path, session: Any, inputs: dict[str, NDArray[Any]], settings: ProfileSettings) -> Iterator[float]:
    """Seconds of each timed batch."""
    try:
        for _ in range(settings.warmup):
            session.run(None, inputs)
        for _ in range(settings.repeats):
            started = time.perf_counter()
            session.run(None, inputs)
            yield time.perf_counter() - started
    except Exception as error:  # as in open_session
        shapes = ", ".join(f"{name}={value.shape}" for name, value in inputs.items())
        raise InputError(str(path), shapes, f"does not run ({_first_line(error)})", "Try another --shape") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
