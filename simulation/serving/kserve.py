"""Inference requests and responses of the KServe v2 protocol (Open Inference Protocol), with one number per request."""

from __future__ import annotations

from typing import Any


def infer_path(model: str) -> str:
    """Path of a model's inference endpoint."""
    return f"/v2/models/{model}/infer"


def infer_request(batch: int, intended: float | None = None) -> dict[str, Any]:
    """A batch of ``batch`` requests; a client says for which instant of the shared clock it was ``intended``."""
    tensor = {"name": "INPUT", "datatype": "FP32", "shape": [batch, 1], "data": [0.0] * batch}
    return {"inputs": [tensor]} | ({} if intended is None else {"parameters": {"intended_s": intended}})


def intended_instant(document: dict[str, Any]) -> float:
    """The instant for which a client intended a request."""
    return float(document["parameters"]["intended_s"])


def batch_of(document: dict[str, Any]) -> int:
    """Requests in an inference request: the first dimension of its first input."""
    return int(document["inputs"][0]["shape"][0])


def infer_response(model: str, batch: int) -> dict[str, Any]:
    """Results of a batch."""
    output = {"name": "OUTPUT", "datatype": "FP32", "shape": [batch, 1], "data": [0.0] * batch}
    return {"model_name": model, "outputs": [output]}
