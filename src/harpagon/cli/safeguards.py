"""Room in a plan for random arrivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from harpagon.cli.console import note

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance

_LARGEST_HEADROOM = 8.0


def with_headroom(instance: Instance, headroom: float) -> Instance:
    """The instance with its rates times 1 + ``headroom``; a bad figure is a usage error."""
    if not 0 <= headroom <= _LARGEST_HEADROOM:
        raise typer.BadParameter("give a fraction from 0 to 8, such as 0.2", param_hint="--headroom")
    if headroom == 0:
        return instance
    from harpagon.simulation.headroom import scaled

    note(f"planned for {1 + headroom:g} times the rates, a utilisation of {1 / (1 + headroom):.1%}")
    return scaled(instance, headroom)
