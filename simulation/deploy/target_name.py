"""The systems that plans are written for."""

from enum import StrEnum


class TargetName(StrEnum):
    """Where a plan is to run."""

    TRITON = "triton"
    RAY = "ray"
    K8S = "k8s"
