"""What a machine is charged in a module's search, and whose use is counted.

Hardware limits couple modules. The exact method relaxes them: a machine of a limited type is charged its price plus a
surcharge, and each module is searched on its own. To close the gap that is left it needs schedules that differ in
their use of limited types: these types are then ``tracked``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from harpagon.instances.instance import Configuration
    from harpagon.instances.plan import DispatchTuple

Usage: TypeAlias = tuple[float, ...]
"""Machines in use per tracked hardware type."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """Charges of one search.

    Attributes
    ----------
    surcharges
        Hardware name to dollars per hour on top of the price; types left out have none.
    tracked
        Hardware types whose use tells schedules apart. Without any, a search returns the schedule of least charge;
        with some, it returns all that are Pareto-optimal in cost and use.
    bundled
        Tracked types sold in bundles, to the price of a machine: one that fills up a bundle costs nothing more, so of
        schedules that use more or fewer of them the price alone does not say which may be the better.
    """

    surcharges: Mapping[str, float] = field(default_factory=dict)
    tracked: tuple[str, ...] = ()
    bundled: Mapping[str, float] = field(default_factory=dict)

    def charge(self, configuration: Configuration) -> float:
        """Dollars per hour charged for one machine."""
        return configuration.price + self.surcharges.get(configuration.hardware, 0.0)

    def charge_of(self, schedule: Sequence[DispatchTuple]) -> float:
        """Dollars per hour charged for the machines of a schedule."""
        return sum(part.machines * self.charge(part.configuration) for part in schedule)

    def charged(self, cost: float, usage: Usage) -> float:
        """Charge of a schedule of this price and use of tracked types, all others without a surcharge."""
        return cost + sum(self.surcharges.get(name, 0.0) * used for name, used in zip(self.tracked, usage, strict=True))

    def nothing(self) -> Usage:
        """Use of an empty schedule."""
        return (0.0,) * len(self.tracked)

    def add(self, usage: Usage, configuration: Configuration, machines: float) -> Usage:
        """``usage`` with more machines of one configuration."""
        if configuration.hardware not in self.tracked:
            return usage
        place = self.tracked.index(configuration.hardware)
        return (*usage[:place], usage[place] + machines, *usage[place + 1 :])

    def cost(self, charge: float, usage: Usage) -> float:
        """``charge`` without what depends on ``usage``: surcharges, which are no cost, and the prices of ``bundled``.

        Of two schedules the one with less of this and no more of any use is the better in every plan.
        """
        if not usage:
            return charge
        return charge - sum(
            (self.surcharges.get(name, 0.0) + self.bundled.get(name, 0.0)) * count
            for name, count in zip(self.tracked, usage, strict=True)
        )


LIST_PRICES = Pricing()
"""No surcharges, nothing tracked."""


def no_more(left: Usage, right: Usage) -> bool:
    """Whether ``left`` uses no more of any type than ``right``."""
    return not left or all(a <= b for a, b in zip(left, right, strict=True))
