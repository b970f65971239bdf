"""What a method supports, declared in data, and the error for what it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance


_NAMED = 5
"""Alternatives that a message names."""


class UnsupportedError(ValueError):
    """A case that a method cannot solve.

    Attributes
    ----------
    method
        Name of the method as on the command line.
    what
        What it does not support, in domain words.
    alternatives
        Methods that do.
    """

    def __init__(self, method: str, what: str, alternatives: tuple[str, ...]) -> None:
        named = [
            *alternatives[:_NAMED],
            *([f"{len(alternatives) - _NAMED} more"] if len(alternatives) > _NAMED else []),
        ]
        hint = f"; use {', '.join(named[:-1])}{' or ' * (len(named) > 1)}{named[-1]}" if named else ""
        super().__init__(f"method {method} does not support {what}{hint}")
        self.method = method
        self.what = what
        self.alternatives = alternatives


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one method supports.

    Attributes
    ----------
    cases
        Pairs of billing and dispatch policy.
    limits
        Whether hardware may carry a ``limit``.
    linear
        Whether the model is linear, so that it can be written as an LP or MPS file.
    """

    cases: frozenset[tuple[Billing, Dispatch]]
    limits: bool = True
    linear: bool = False

    @property
    def billings(self) -> tuple[Billing, ...]:
        """Billings that it plans for, under some policy."""
        return tuple(billing for billing in Billing if any(case[0] is billing for case in self.cases))

    @property
    def dispatches(self) -> tuple[Dispatch, ...]:
        """Dispatch policies that it plans for, under some billing."""
        return tuple(policy for policy in Dispatch if any(case[1] is policy for case in self.cases))


def has_limits(instance: Instance) -> bool:
    """Whether any hardware type carries a limit."""
    return any(hardware.limit is not None for hardware in instance.hardware.values())
