"""The formats of measurement files by the names of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.measurements.aibrix import read_aibrix
from harpagon.instances.measurements.aiperf import read_aiperf
from harpagon.instances.measurements.mlperf import read_mlperf
from harpagon.instances.measurements.model_analyzer import read_model_analyzer
from harpagon.instances.measurements.perf_analyzer import read_perf_analyzer
from harpagon.instances.measurements.plain import read_plain
from harpagon.instances.measurements.timm import read_timm
from harpagon.instances.measurements.vllm import read_vllm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harpagon.instances.measurements.request import Request
    from harpagon.instances.measurements.verdicts import RowVerdict

READERS: dict[str, Callable[[Path, Request], list[RowVerdict]]] = {
    "perf-analyzer": read_perf_analyzer,
    "model-analyzer": read_model_analyzer,
    "timm": read_timm,
    "vllm": read_vllm,
    "aiperf": read_aiperf,
    "mlperf": read_mlperf,
    "aibrix": read_aibrix,
    "csv": read_plain,
}


def read_measurements(form: str, path: Path, request: Request) -> list[RowVerdict]:
    """Verdict on every row of a measurement file that concerns the request.

    Raises
    ------
    InputError
        For an unknown format, and where the file cannot be read or is of another kind.
    """
    if form not in READERS:
        raise InputError("FORMAT", "", f"there is no format {form!r}", suggestion(form, READERS))
    return READERS[form](path, request)
