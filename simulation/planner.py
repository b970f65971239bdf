"""What the simulator's searches ask for: a function that plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan


class Planner(Protocol):
    """Plans an instance, by any method: the search is told which."""

    def __call__(self, instance: Instance) -> Plan | None:
        """A plan, None where there is none."""
