"""What a user says about a measurement file beside the file itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """Which figures of a file are wanted.

    Attributes
    ----------
    model
        Name of the model in the instance; where a file holds several models, also its name there.
    batch
        Requests in each batch that the client sent, for files that do not say it.
    instances
        Model instances, or machines, that shared the load, for files that do not say it.
    latency
        Seconds within which the file's rates were answered, for files of rates alone.
    workload
        Which of a file's workloads is wanted, for files that hold several.
    hardware
        Name of the hardware type in files that hold several.
    """

    model: str
    batch: int | None = None
    instances: int = 1
    latency: float | None = None
    workload: str | None = None
    hardware: str = ""
