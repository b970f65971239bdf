"""What a planning method is: its promise, what it supports, what runs it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from harpagon.instances.policies import Dispatch, Word
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolverInfo, Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing
    from harpagon.solvers.capabilities import Capabilities
    from harpagon.solvers.options import SolverOptions

SAFEST = (Dispatch.PACED, Dispatch.EDF, Dispatch.TC)
"""What an exact method plans for unless asked: the first that it can, since that is what a plan keeps when it runs."""


class Runner(Protocol):
    """What runs a method."""

    def __call__(self, instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
        """Plan ``instance``."""


class Kind(Word):
    """What a method promises."""

    EXACT = "exact"
    """A proven optimum, or a valid bound."""
    HEURISTIC = "heuristic"
    """A plan, without a bound."""


@dataclass(frozen=True, slots=True)
class Method:
    """One planning method.

    Attributes
    ----------
    name
        As on the command line.
    kind
        What it promises.
    summary
        One line.
    capabilities
        Billings, dispatch policies and limits it supports.
    default_dispatch
        Policy it plans for unless another is asked for: the one notion of a default.
    runner
        Runs it; it imports what it needs when it is called.
    options
        What its function is told beside the case, such as the name of an ablation.
    revision
        Of a method registered from outside: changes with its text. Empty for shipped ones.
    opens
        ``module:function`` in `harpagon.solvers` that opens its model, see `harpagon.formulation`; empty without one.
    """

    name: str
    kind: Kind
    summary: str
    capabilities: Capabilities
    default_dispatch: Dispatch
    runner: Runner = field(repr=False)
    options: Mapping[str, object] = field(default_factory=dict)
    revision: str = ""
    opens: str = ""

    def dispatch_for(self, billing: Billing) -> Dispatch:
        """Policy that it plans for in this billing unless another is asked for."""
        usual = (self.default_dispatch, *SAFEST)
        return next((policy for policy in usual if (billing, policy) in self.capabilities.cases), usual[0])

    def run(
        self, instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
    ) -> Result:
        """Plan an instance that it supports; the plan is not refereed, see `harpagon.solve`."""
        return self.runner(instance, billing, dispatch, options)


def timed(name: str, planner: Callable[[], Plan | None]) -> Result:
    """A heuristic's plan and its time as a Result without a bound."""
    start = time.perf_counter()
    plan = planner()
    seconds = time.perf_counter() - start
    termination = Termination.LIMIT if plan is None else Termination.FEASIBLE
    return Result(name, termination, plan, -math.inf, 0.0, seconds, SolverInfo(name, version("harpagon")))


def load(target: str) -> object:
    """Function of ``module:function``, imported from this package."""
    module, function = target.split(":")
    return getattr(import_module(f"harpagon.{module}"), function)
