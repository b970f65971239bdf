"""Suites: documented recipes of many workloads, and hard instances as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harpagon.instances.checks import Checks
from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.files.instances import read_instance
from harpagon.instances.library.applications import application_names
from harpagon.instances.library.paper_suite import paper_workloads
from harpagon.instances.library.profiles import DATA
from harpagon.instances.library.workloads import Workload
from harpagon.instances.policies import APART, Billing, Dispatch

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


HARD = "hard"
"""Suite of instances that every method is slow on or leaves open; they are files, not recipes."""
_RECIPES: dict[str, Callable[[], tuple[Workload, ...]]] = {"paper": paper_workloads, "smoke": _smoke}


def suite_names() -> tuple[str, ...]:
    """Names of the shipped suites."""
    return tuple(sorted((*_RECIPES, HARD)))


def suite_workloads(name: str) -> tuple[Workload, ...]:
    """Recipes of a suite, in a fixed order.

    Raises
    ------
    InputError
        Where there is no suite of this name, or its instances are files.
    """
    Checks("suite").name((), name)
    if name == HARD:
        raise InputError(name, "", "holds files, not recipes", "Use `suite` or `instance_names`")
    if name not in _RECIPES:
        raise InputError(name, "", "there is no such suite", suggestion(name, suite_names()))
    return _RECIPES[name]()


def instance_names(suite_name: str) -> tuple[str, ...]:
    """Names of a suite's instances, in its order; an `InputError` where there is no such suite."""
    if suite_name == HARD:
        return tuple(sorted(path.stem for path in (DATA / HARD).glob("*.json")))
    return tuple(workload.name for workload in suite_workloads(suite_name))


def hard_instance(name: str) -> Instance:
    """Instance of the suite `HARD`."""
    return read_instance(DATA / HARD / f"{name}.json")


def benchmark_cases(suite_name: str) -> tuple[tuple[Billing, Dispatch], ...]:
    """Billings and policies that the records of a suite are for; an `InputError` where there is no such suite."""
    if suite_name not in suite_names():
        raise InputError(suite_name, "", "there is no such suite", suggestion(suite_name, suite_names()))
    if suite_name == HARD:
        return tuple((Billing.WHOLE, dispatch) for dispatch in (Dispatch.FREE, Dispatch.EDF))
    return tuple((billing, dispatch) for billing in APART for dispatch in (Dispatch.TC, Dispatch.FREE))


def spread(members: Sequence[_Member], count: int) -> Sequence[_Member]:
    """At most ``count`` members of a suite, evenly spread over it."""
    return members[:: max(1, len(members) // count)][:count]


def suite(name: str) -> tuple[Instance, ...]:
    """Instances of a suite, in a fixed order; those of recipes are feasible in both billings.

    Raises
    ------
    InputError
        Where there is no suite of this name.
    """
    if name == HARD:
        return tuple(hard_instance(one) for one in instance_names(HARD))
    return tuple(workload.instance() for workload in suite_workloads(name))
