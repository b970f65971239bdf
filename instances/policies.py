"""The names of the choices a plan rests on: how machines are billed and how requests are dispatched."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from harpagon.instances.errors import InputError, shown


class Word(StrEnum):
    """Words that files, flags and arguments may say."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Member of a word; an `InputError` that names all where there is none."""
        try:
            return cls(text)
        except ValueError:
            name = cls.__name__.lower()
            raise InputError(name, "", f"there is no {name} {shown(text)}", f"Use {', '.join(cls)}") from None


class Billing(Word):
    """How machines are paid for."""

    WHOLE = "whole"
    """Machines are bought whole; spare capacity is padded with dummy requests at no cost."""
    FRACTIONAL = "fractional"
    """At most one machine per module, the residual, is paid for by the fraction used [R]."""
    SHARED = "shared"
    """Machines are bought whole and may host several modules, which take turns."""


APART = (Billing.WHOLE, Billing.FRACTIONAL)
"""Billings under which every module has machines of its own: what all methods plan for."""


class Dispatch(Word):
    """How requests are handed to the machines of one module; `harpagon.formulations.physics` has the bounds."""

    TC = "tc"
    """Batch-aware, tuples in descending order of throughput-cost ratio: Harpagon [R]."""
    FREE = "free"
    """Batch-aware, tuples in the order the planner chooses."""
    PER_CONFIG = "per-config"
    """Each configuration collects its batches from its own share of the requests: Scrooge [R]."""
    ROUND_ROBIN = "round-robin"
    """Requests go to machines in turn: Nexus, InferLine, Clipper."""
    TC_SAFE = "tc-safe"
    """As ``tc``, with the latency bound that a real priority dispatcher keeps."""
    EDF = "edf"
    """Each request joins the open batch that is due first: earliest deadline first over batches."""
    PACED = "paced"
    """Every result held for a fixed time, modules by what serves every stream of the promised class in that time."""
