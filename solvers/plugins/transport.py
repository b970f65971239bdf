"""Registered methods on their way to worker processes, which may not know them."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from harpagon.instances.errors import InputError
from harpagon.solvers.methods import METHODS, solve
from harpagon.solvers.plugins.faults import described
from harpagon.solvers.plugins.files import PREFIX
from harpagon.solvers.plugins.register import SHIPPED, RegisteredRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.method import Method
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result


def portable_solve(names: Iterable[str]) -> Callable[..., Result]:
    """`solve` for another process, which takes the registered methods of ``names`` along.

    Raises
    ------
    InputError
        Where a registered method cannot be pickled.
    """
    own = [METHODS[name] for name in dict.fromkeys(names) if name not in SHIPPED]
    return _Carrier(_pickled(own)) if own else solve


def _pickled(methods: list[Method]) -> bytes:
    import cloudpickle

    for method in methods:
        home = cast("RegisteredRunner", method.runner).function.__module__
        if home.startswith(PREFIX):
            cloudpickle.register_pickle_by_value(sys.modules[home])
    try:
        return cast("bytes", cloudpickle.dumps(methods))
    except Exception as error:
        names = ", ".join(method.name for method in methods)
        problem = f"cannot be sent to worker processes: {described(error)}"
        raise InputError(
            f"method {names}", "", problem, "Keep open files and locks out of it, or use 1 worker"
        ) from error


@dataclass(frozen=True, slots=True)
class _Carrier:
    """`solve` with the registered methods that the other process may not know, pickled."""

    methods: bytes

    def __call__(
        self, instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
    ) -> Result:
        METHODS.update(_unpickled(self.methods))
        return solve(instance, method, billing, dispatch, options)


@cache
def _unpickled(methods: bytes) -> dict[str, Method]:
    return {method.name: method for method in pickle.loads(methods)}
