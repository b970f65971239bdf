"""Profiles of accelerators that ONNX Runtime can use, as a fragment of an instance file."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from harpagon.instances.files.profiles import SHARES
from harpagon.instances.files.units import milliseconds

if TYPE_CHECKING:
    from harpagon.instances.cpu.profile import CoreProfile


def device_fragment(profile: CoreProfile, hardware: str, limit: int | None) -> dict[str, Any]:
    """Batch to duration under the model and the hardware type, with the limit of the type where one is given."""
    batches = {str(batch): _duration(profile, (cores, batch)) for cores, batch in sorted(profile.durations)}
    fragment: dict[str, Any] = {"profiles": {profile.name: {hardware: batches}}}
    return fragment if limit is None else {"hardware": {hardware: {"limit": limit}}, **fragment}


def _duration(profile: CoreProfile, pair: tuple[int, int]) -> float | dict[str, float]:
    """Milliseconds, or the mean with its quantiles."""
    if pair not in profile.spread:
        return milliseconds(profile.durations[pair])
    mean, quantiles = profile.spread[pair]
    keys = {share: key for key, share in SHARES.items()}
    return {"mean_ms": milliseconds(mean), **{keys[share]: milliseconds(value) for share, value in quantiles}}


def device_count() -> int | None:
    """GPUs that the NVIDIA driver lists; None where there is no driver to ask."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return listed.stdout.count("GPU ") or None
