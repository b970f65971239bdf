"""Mistakes that make a valid instance: figures and graphs that are most likely not what was meant."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx

from harpagon.instances.errors import HarpagonWarning, format_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.instances.instance import Configuration, Instance

_UNITS_APART = 300.0
"""Ratio of durations beyond which a wrong unit is likelier than a quick machine."""
_QUICKER = 0.9
"""A larger batch below this share of a smaller one's duration is no noise of measurement."""
_TAIL = 5.0
"""Ratio of the 90th percentile to the median beyond which a profile was disturbed while it was measured."""

_Profiles = dict[tuple[str, str], list["Configuration"]]


def warn_of_mistakes(instance: Instance, source: str) -> None:
    """Issue a `HarpagonWarning` for everything in ``instance`` that is most likely a mistake; ``source`` names it."""
    for message in mistakes(instance):
        warnings.warn(f"{source}: {message}", HarpagonWarning, stacklevel=2)


def mistakes(instance: Instance) -> Iterator[str]:
    """Place and words of every likely mistake."""
    profiles = _by_model_and_type(instance)
    yield from _wrong_units(profiles)
    for (model, hardware), profile in profiles.items():
        for text in (*_quicker_batches(profile), *_long_tails(profile)):
            yield f"{format_place(('profiles', model, hardware))}: {text}"
    yield from _missing_types(instance, profiles)
    yield from _apart(instance)


def _by_model_and_type(instance: Instance) -> _Profiles:
    found: _Profiles = {}
    for model, profile in instance.profiles.items():
        for configuration in profile:
            found.setdefault((model, configuration.hardware), []).append(configuration)
    return found


def _wrong_units(profiles: _Profiles) -> Iterator[str]:
    """A profile much quicker than those of the same model, or a model much quicker than all others."""
    seconds: dict[str, dict[str, float]] = {}
    for (model, hardware), profile in profiles.items():
        seconds.setdefault(model, {})[hardware] = min(1 / c.throughput for c in profile)
    for model, own in seconds.items():
        for hardware, value in own.items():
            yield from _much_quicker(("profiles", model, hardware), value, [own[o] for o in own if o != hardware])
        others = [value for other in seconds if other != model for value in seconds[other].values()]
        yield from _much_quicker(("profiles", model), max(own.values()), others)


def _much_quicker(place: tuple[str, ...], own: float, others: list[float]) -> Iterator[str]:
    if others and min(others) > _UNITS_APART * own:
        ratio = f"{min(others) / own:,.0f}"
        yield f"{format_place(place)}: {ratio} times quicker than the others; are its figures in milliseconds?"


def _quicker_batches(profile: list[Configuration]) -> Iterator[str]:
    ordered = sorted((c for c in profile if not c.is_capacity), key=lambda c: c.batch)
    for small, large in pairwise(ordered):
        if large.mean < _QUICKER * small.mean:
            figures = f"{large.mean * 1e3:g} ms against {small.mean * 1e3:g} ms"
            yield f"a batch of {large.batch} is quicker than one of {small.batch}: {figures}"


def _long_tails(profile: list[Configuration]) -> Iterator[str]:
    for configuration in profile:
        stated = dict(configuration.quantiles)
        middle, word = (stated[0.5], "median") if 0.5 in stated else (configuration.mean, "mean")
        if stated.get(0.9, 0.0) > _TAIL * middle:
            ratio = f"{stated[0.9] / middle:.1f}"
            yield f"p90 of a batch of {configuration.batch} is {ratio} times its {word}; was the machine idle?"


def _missing_types(instance: Instance, profiles: _Profiles) -> Iterator[str]:
    """A model in use without a profile on a type that has one of another model in use."""
    used = {data["model"]: None for pipeline in instance.pipelines for _, data in pipeline.graph.nodes(data=True)}
    types = {hardware: None for model, hardware in profiles if model in used}
    for model in used:
        missing = [hardware for hardware in types if (model, hardware) not in profiles]
        if missing:
            place = format_place(("profiles", model))
            yield f"{place}: no profile on {', '.join(missing)}, so it is never planned there"


def _apart(instance: Instance) -> Iterator[str]:
    """Modules that no edge joins to the rest: each is served and paid for at the pipeline's rate."""
    for position, pipeline in enumerate(instance.pipelines):
        pieces = sorted(nx.weakly_connected_components(pipeline.graph), key=len, reverse=True)
        for piece in pieces[1:]:
            place = format_place(("pipelines", position, "modules"))
            yield f"{place}: no edge joins {', '.join(sorted(piece))} to the rest; it is planned and billed as well"
