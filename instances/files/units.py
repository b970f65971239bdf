"""Milliseconds in files, seconds in code."""

from __future__ import annotations


def seconds(milliseconds: float) -> float:
    """Seconds of a file's milliseconds."""
    return milliseconds / 1e3


def milliseconds(seconds: float) -> float:
    """Milliseconds for a file: 15 significant digits, so that 0.0353 s is written as 35.3."""
    return float(f"{seconds * 1e3:.15g}")
