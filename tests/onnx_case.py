"""An ONNX model built byte by byte, so that no model file and no ``onnx`` package is needed."""

from __future__ import annotations


def relu_model() -> bytes:
    """y = Relu(x) for x of shape (batch, width), both open, in the wire format of ONNX."""

    def field(number: int, payload: bytes) -> bytes:
        return bytes([number << 3 | 2, len(payload)]) + payload

    def integer(number: int, value: int) -> bytes:
        return bytes([number << 3, value])

    def tensor(name: bytes) -> bytes:
        dimensions = b"".join(field(1, field(2, dimension)) for dimension in (b"batch", b"width"))
        return field(1, name) + field(2, field(1, integer(1, 1) + field(2, dimensions)))

    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"g") + field(11, tensor(b"x")) + field(12, tensor(b"y"))
    return integer(1, 8) + field(7, graph) + field(8, integer(2, 13))
