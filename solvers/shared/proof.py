"""What is known of the optimum while a search goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Proof:
    """What is known: no plan costs less than ``bound``, ``done`` once nothing is left to search."""

    bound: float
    done: bool = False
