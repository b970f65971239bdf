"""Suites: documented recipes of many workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.library.applications import application_names
from harpagon.instances.library.paper_suite import paper_workloads
from harpagon.instances.library.workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harpagon.instances.instance import Instance

_Member = TypeVar("_Member")

_SMOKE_RATES = (20.0, 50.0, 100.0, 198.0, 400.0, 700.0, 1000.0)
_SMOKE_TIGHTNESS = (1.2, 2.0, 3.5, 6.0)
_SMOKE_HARDWARE = (("V100", "A100"), ("V100", "T4", "A100"), ())


def _smoke() -> tuple[Workload, ...]:
    """42 workloads: every application at seven rates; tightness and hardware rotate.

    The k-th rate of the a-th application (both from 0, applications sorted by name) meets tightness number
    (k + a) mod 4 and hardware set number (k + 2 a) mod 3, so that over the suite every application meets every
    tightness and every hardware set.
    """
    return tuple(
        Workload.with_tightness(
            name,
            rate,
            _SMOKE_TIGHTNESS[(k + a) % len(_SMOKE_TIGHTNESS)],
            _SMOKE_HARDWARE[(k + 2 * a) % len(_SMOKE_HARDWARE)],
        )
        for a, name in enumerate(application_names())
        for k, rate in enumerate(_SMOKE_RATES)
    )


_SUITES: dict[str, Callable[[], tuple[Workload, ...]]] = {"paper": paper_workloads, "smoke": _smoke}


def suite_names() -> tuple[str, ...]:
    """Names of the shipped suites."""
    return tuple(sorted(_SUITES))


def suite_workloads(name: str) -> tuple[Workload, ...]:
    """Recipes of a suite, in a fixed order.

    Raises
    ------
    InputError
        Where there is no suite of this name.
    """
    if name not in _SUITES:
        raise InputError(name, "", "there is no such suite", suggestion(name, _SUITES))
    return _SUITES[name]()


def spread(members: Sequence[_Member], count: int) -> Sequence[_Member]:
    """At most ``count`` members of a suite, evenly spread over it."""
    return members[:: max(1, len(members) // count)][:count]


def suite(name: str) -> tuple[Instance, ...]:
    """Instances of a suite, in a fixed order; all are feasible in both billings.

    Raises
    ------
    InputError
        Where there is no suite of this name.
    """
    return tuple(workload.instance() for workload in suite_workloads(name))
