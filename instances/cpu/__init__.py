"""Containers as machines: core profiles, the instances they make, and measuring ONNX models."""
