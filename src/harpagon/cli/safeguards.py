"""What commands hold a plan to: room for random arrivals, and the checker's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from harpagon.cli.console import note
from harpagon.cli.exits import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

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


def sound_plan(instance: Instance, path: Path) -> Plan:
    """The plan of a file; the command ends where the checker refuses it."""
    from harpagon.formulations.checker import check
    from harpagon.instances.files.plans import read_plan

    plan = read_plan(path, instance)
    violations = check(instance, plan).violations
    for violation in violations:
        note(f"broken: {violation}")
    if violations:
        raise typer.Exit(ExitCode.CHECK_FAILED)
    return plan
