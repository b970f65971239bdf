"""What each exact method supports, declared in data, and the error for what it does not."""

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
    """What one exact method supports.

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


_EVERYTHING = frozenset((billing, dispatch) for billing in Billing for dispatch in Dispatch)
_CONVEX = frozenset(
    (billing, dispatch) for billing in Billing for dispatch in (Dispatch.TC, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN)
)

CAPABILITIES: dict[str, Capabilities] = {
    "exact": Capabilities(_EVERYTHING),
    "brute-force": Capabilities(_EVERYTHING),
    "compact": Capabilities(_CONVEX | {(billing, Dispatch.TC_SAFE) for billing in Billing}, linear=True),
    "disjunctive-bigm": Capabilities(_CONVEX, linear=True),
    "disjunctive-hull": Capabilities(_CONVEX, linear=True),
    "cp-sat": Capabilities(frozenset((Billing.WHOLE, dispatch) for dispatch in Dispatch)),
    "pattern": Capabilities(_EVERYTHING, linear=True),
}
"""Method name to what it supports."""


def require_support(method: str, instance: Instance, billing: Billing, dispatch: Dispatch) -> None:
    """Raise `UnsupportedError` unless ``method`` can solve this case."""
    capabilities = CAPABILITIES[method]
    if (billing, dispatch) not in capabilities.cases:
        others = tuple(name for name, other in CAPABILITIES.items() if (billing, dispatch) in other.cases)
        raise UnsupportedError(method, f"{billing} billing under {dispatch} dispatch", others)
    if not capabilities.limits and has_limits(instance):
        raise UnsupportedError(method, "hardware limits", tuple(n for n, other in CAPABILITIES.items() if other.limits))


def has_limits(instance: Instance) -> bool:
    """Whether any hardware type carries a limit."""
    return any(hardware.limit is not None for hardware in instance.hardware.values())
