"""Dealing a module out: machines of its own take a share of its requests, a group on a shared machine takes the rest.

Of the first k requests ceil(share x k) go to the machines of the module's own. How many each part gets is fixed by how
many roots came, so each part is a module of its own in every theorem, and the module is done within the longer of
both latencies (docs/shared.md).

Planned are, of every configuration, as many machines as the rate of the module keeps busy, one fewer than would serve
all of it, and the largest share in whole `PARTS` that they keep up with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from harpagon.formulations.paced import Service, Stream, exact, exact_throughput, paced_service
from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.formulations.waves import SentWave, Wave
from harpagon.instances.plan import DispatchTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.formulations.problem import ModuleProblem

PARTS = 24
"""Parts of a stream that are dealt."""


@dataclass(frozen=True, slots=True)
class Deal:
    """What a module keeps on machines of its own.

    Attributes
    ----------
    own
        The machines, those in spare included.
    share
        Their share of its requests, above 0 and below 1.
    service
        How they serve it.
    """

    own: DispatchTuple
    share: Fraction
    service: Service


def deals(module: ModuleProblem, latest: float) -> Iterator[Deal]:
    """Deals of a module whose machines of its own are done within ``latest`` seconds."""
    assert module.stream is not None, "compiled from a pipeline"
    rate = exact(module.stream.rate) * module.stream.wave.rate
    for configuration in module.configurations:
        if configuration.is_capacity:
            continue
        throughput = exact_throughput(configuration)
        machines = ceil(rate / throughput) - 1
        share = Fraction(min(floor(PARTS * machines * throughput / rate), PARTS - 1), PARTS)
        if share <= 0:
            continue
        own = DispatchTuple.full(configuration, machines, module.spare)
        service = paced_service((own,), own_stream(module.stream, share))
        if service is not None and service.latency <= latest + TIME_TOLERANCE:
            yield Deal(own, share, service)


def own_stream(stream: Stream, share: Fraction) -> Stream:
    """What machines of a module's own get of its stream."""
    return Stream(stream.rate, Wave((SentWave(stream.wave, share),)))


def rest_of(module: ModuleProblem, share: Fraction) -> ModuleProblem:
    """The module as the shared machine sees it: with what is left of its stream."""
    assert module.stream is not None, "compiled from a pipeline"
    left = Wave((SentWave(module.stream.wave, 1 - share, rounds_down=True),))
    return replace(module, rate=module.rate * float(1 - share), stream=Stream(module.stream.rate, left))
