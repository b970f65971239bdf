"""The formats of measurement files by the names of the command line, and how a file is known by its content."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.files.documents import read_text
from harpagon.instances.measurements.aibrix import read_aibrix
from harpagon.instances.measurements.aiperf import read_aiperf
from harpagon.instances.measurements.mlperf import read_mlperf
from harpagon.instances.measurements.model_analyzer import read_model_analyzer
from harpagon.instances.measurements.perf_analyzer import read_perf_analyzer
from harpagon.instances.measurements.plain import read_plain
from harpagon.instances.measurements.timm import read_timm
from harpagon.instances.measurements.vllm import read_vllm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


_SIGNS = {
    "perf-analyzer": ("Inferences/Second",),
    "model-analyzer": ("Model Config Path", "Throughput (infer/sec)"),
    "timm": ("infer_step_time",),
    "aiperf": ('"request_latency"', '"request_throughput"'),
    "vllm": ('"completed"', '"duration"'),
    "vllm (a table)": ('"Tput (req/s)"',),
    "mlperf": ("MLPerf Results Summary",),
    "aibrix": ('"tputs"',),
    "csv": ("duration_ms",),
    "prices": ("AcceleratorName",),
    "prices (gpuhunt)": ("gpu_name", "gpu_count"),
}
"""Words that a file of a format has, and of no format before it in this table."""


@contextmanager
def naming_the_format(form: str, path: Path) -> Iterator[None]:
    """Say in the InputError of a reader which format the file looks like, where that is another than ``form``."""
    try:
        yield
    except InputError as error:
        likely = _likely_format(path)
        if likely in (None, form):
            raise
        next_step = f"It looks like a file of `harpagon import {likely}`"
        raise InputError(error.file, error.place, error.problem, next_step) from None


def _likely_format(path: Path) -> str | None:
    try:
        text = read_text(path, "")
    except InputError:
        return None
    found = (form for form, signs in _SIGNS.items() if all(sign in text for sign in signs))
    return next(found, "").partition(" ")[0] or None


def read_measurements(form: str, path: Path, request: Request) -> list[RowVerdict]:
    """Verdict on every row of a measurement file that concerns the request.

    Raises
    ------
    InputError
        For an unknown format, and where the file cannot be read or is of another kind.
    """
    if form not in READERS:
        raise InputError("FORMAT", "", f"there is no format {form!r}", suggestion(form, READERS))
    with naming_the_format(form, path):
        return READERS[form](path, request)
