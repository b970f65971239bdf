"""What a method supports, declared in data, and the error for what it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, format_place
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan


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
    capacity
        Whether profiles may be capacity profiles.
    linear
        Whether the model is linear, so that it can be written as an LP or MPS file.
    """

    cases: frozenset[tuple[Billing, Dispatch]]
    limits: bool = True
    capacity: bool = False
    linear: bool = False

    @property
    def billings(self) -> tuple[Billing, ...]:
        """Billings that it plans for, under some policy."""
        return tuple(billing for billing in Billing if any(case[0] is billing for case in self.cases))

    @property
    def dispatches(self) -> tuple[Dispatch, ...]:
        """Dispatch policies that it plans for, under some billing."""
        return tuple(policy for policy in Dispatch if any(case[1] is policy for case in self.cases))


def require_features(method: str, instance: Instance, capabilities: Mapping[str, Capabilities]) -> None:
    """Raise `UnsupportedError` where ``instance`` asks for what ``method`` cannot do, naming the methods that can."""
    for feature, (words, is_in) in _FEATURES.items():
        if not getattr(capabilities[method], feature) and is_in(instance):
            others = tuple(name for name, other in capabilities.items() if getattr(other, feature))
            raise UnsupportedError(method, words, others)


def has_limits(instance: Instance) -> bool:
    """Whether any hardware type carries a limit."""
    return any(hardware.limit is not None for hardware in instance.hardware.values())


def has_bundles(instance: Instance) -> bool:
    """Whether any hardware type is sold in bundles."""
    return any(hardware.bundle > 1 for hardware in instance.hardware.values())


def is_coupled(instance: Instance) -> bool:
    """Whether pipelines and modules share what they cannot be planned apart for: limited types, or bundles."""
    return has_limits(instance) or has_bundles(instance)


def has_bursts(instance: Instance) -> bool:
    """Whether any pipeline may receive several requests at once."""
    return any(pipeline.burst > 1 for pipeline in instance.pipelines)


def has_spares(instance: Instance) -> bool:
    """Whether any pipeline has to keep its word with machines lost."""
    return any(pipeline.spare for pipeline in instance.pipelines)


def has_capacity(instance: Instance) -> bool:
    """Whether any module's profile is a capacity profile."""
    return any(c.is_capacity for model in instance.models for c in instance.profiles[model])


def require_batches(instance: Instance, use: str) -> None:
    """Raise `InputError` where a module's profile has no batches and ``use`` needs them."""
    for model in instance.models:
        if any(c.is_capacity for c in instance.profiles[model]):
            problem = f"{use} needs batch durations, a capacity profile has none"
            raise InputError(instance.name, format_place(("profiles", model)), problem, "Give batch sizes")


def require_own_machines(plan: Plan, use: str) -> None:
    """Raise `InputError` where modules of a plan share machines, and ``use`` sends batches when they are full."""
    shared = plan.shared_machines()
    if shared:
        machine = next(iter(shared))
        problem = (
            f"{use} needs machines of each module's own; {machine} hosts several, whose batches may not go when full"
        )
        raise InputError("plan", "billing", problem, "Plan again with --billing whole")


_FEATURES: dict[str, tuple[str, Callable[[Instance], bool]]] = {
    "limits": ("hardware limits", has_limits),
    "capacity": ("capacity profiles", has_capacity),
}
"""Field of `Capabilities` to its words and whether an instance asks for it."""
