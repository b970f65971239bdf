"""Objectives that are most likely written in the wrong unit."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from harpagon.instances.errors import InputError, format_place
from harpagon.instances.files.units import milliseconds

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance


def check_objectives(instance: Instance, source: str) -> None:
    """Refuse an objective below every batch duration of the instance: it is most likely in seconds.

    Other objectives that no plan can meet are valid input; `harpagon explain` answers them.

    Raises
    ------
    InputError
        With the place of the objective in the file that ``source`` names.
    """
    shortest = min(configuration.duration for configuration in chain.from_iterable(instance.profiles.values()))
    for position, pipeline in enumerate(instance.pipelines):
        if pipeline.slo < shortest:
            problem = (
                f"the SLO of {milliseconds(pipeline.slo):g} ms is below the smallest batch duration of "
                f"{milliseconds(shortest):g} ms: wrong units suspected"
            )
            where = format_place(("pipelines", position, "slo_ms"))
            raise InputError(source, where, problem, "Give slo_ms in milliseconds")
