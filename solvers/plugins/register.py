"""Register a function as a planning method.

A registered method is a row of `harpagon.solvers.methods.METHODS` like any other: `solve` runs it and referees its
plans, sweeps compare it with the optimum. Packages name their modules under the entry point group
``harpagon.methods``; such a module registers its methods when it is imported.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from harpagon.instances.errors import InputError, shown
from harpagon.instances.plan import Plan
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import Capabilities, UnsupportedError
from harpagon.solvers.errors import MethodFailedError
from harpagon.solvers.method import Kind, Method, timed
from harpagon.solvers.methods import METHODS
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.plugins.faults import described, place_of
from harpagon.solvers.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

    from harpagon.instances.instance import Instance
    from harpagon.solvers.options import SolverOptions

Function = TypeVar("Function", bound="Callable[..., Plan | Result | None]")

SHIPPED = frozenset(METHODS)
"""Names that cannot be registered again."""
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,60}")


def register(
    name: str,
    *,
    dispatch: str | Iterable[str] = Dispatch.TC,
    billing: str | Iterable[str] = APART,
    kind: str = Kind.HEURISTIC,
    limits: bool = True,
    summary: str = "",
    options: Mapping[str, object] | None = None,
) -> Callable[[Function], Function]:
    """Register a function as a planning method, for `solve`, `compare` and ``harpagon gap --methods``.

    A heuristic is called as ``function(instance, billing, dispatch, **options)`` and returns a `Plan`, or None where it
    finds none. A method of kind ``exact`` is called with `SolverOptions` as a fourth argument and returns a `Result`.
    Every plan goes through the independent checker. Registering a name of one's own again replaces it.

    Parameters
    ----------
    name
        As it is asked for: letters, digits and ``. + - _``.
    dispatch
        Policy or policies it plans for; the first is its default.
    billing
        Billing or billings it plans for; ``shared`` has to be named, since its plans hand out shared machines.
    kind
        ``heuristic`` (a plan) or ``exact`` (a proven optimum, or a valid bound).
    limits
        Whether it respects hardware limits.
    summary
        One line; the first line of the function's docstring where it is empty.
    options
        Further keyword arguments of the function, so that several methods can share one.

    Raises
    ------
    InputError
        Where the name is malformed or that of a shipped method, or a policy or billing is unknown.

    Examples
    --------
    >>> import harpagon
    >>> @harpagon.register("half-rate", dispatch="tc")
    ... def half_rate(instance, billing, dispatch):
    ...     return harpagon.solve(instance, "harpagon", billing=billing, dispatch=dispatch).plan
    >>> harpagon.solve(harpagon.read_instance("worked-example"), "half-rate").plan.cost
    5.0
    """
    _check_name(name)
    policies = tuple(Dispatch.of(one) for one in _several(dispatch))
    billings = tuple(Billing.of(one) for one in _several(billing))
    cases = frozenset((paid, policy) for paid in billings for policy in policies)
    promise = Kind.of(kind)
    if not cases:
        raise InputError(f"register({name!r})", "", "names no dispatch policy or no billing", "Name at least one")

    def decorate(function: Function) -> Function:
        if not callable(function):
            raise InputError(f"register({name!r})", "", f"{shown(function)} is no function", "Put it before a def")
        runner = RegisteredRunner(name, promise, function, tuple((options or {}).items()))
        line = summary or (inspect.getdoc(function) or "Registered from outside.").splitlines()[0]
        METHODS[name] = Method(
            name, promise, line, Capabilities(cases, limits), policies[0], runner, options or {}, _revision(function)
        )
        return function

    return decorate


@dataclass(frozen=True, slots=True)
class RegisteredRunner:
    """Calls a registered function and says in one message what is wrong with it."""

    name: str
    kind: Kind
    function: Callable[..., Plan | Result | None]
    options: tuple[tuple[str, object], ...]

    def __call__(
        self, instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions = DEFAULT_OPTIONS
    ) -> Result:
        extra = dict(self.options)
        if self.kind is Kind.EXACT:
            result = cast("Result", self._call(instance, Result, billing, dispatch, options, **extra))
            return replace(result, method=self.name)
        planner = cast("Callable[[], Plan | None]", lambda: self._call(instance, Plan, billing, dispatch, **extra))
        return timed(self.name, planner)

    def _call(self, instance: Instance, wanted: type, *arguments: object, **extra: object) -> Plan | Result | None:
        try:
            found = self.function(instance, *arguments, **extra)
        except UnsupportedError:
            raise
        except Exception as error:
            place = place_of(error)
            problem = f"{described(error)} ({place})" if place else described(error)
            raise MethodFailedError(self.name, instance.name, problem) from error
        if isinstance(found, wanted) or (found is None and wanted is Plan):
            return found
        kind = f"a {wanted.__name__}" + (" or None" if wanted is Plan else "")
        problem = f"it returned {type(found).__name__}, not {kind}; harpagon.assemble makes a plan of tuples"
        raise MethodFailedError(self.name, instance.name, problem)


def _check_name(name: str) -> None:
    source = f"register({name!r})"
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == "heuristics":
        raise InputError(source, "", "is no name for a method", "Use letters, digits and . + - _")
    if name in SHIPPED:
        raise InputError(source, "", "is the name of a shipped method", "Choose another name")


def _several(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _module(function: Callable[..., object]) -> ModuleType | None:
    return sys.modules.get(getattr(function, "__module__", None) or "")


def _revision(function: Callable[..., object]) -> str:
    """Twelve digits that change with the text of a method, so that no row of an earlier text is taken for its own."""
    try:
        text = inspect.getsource(_module(function) or function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = repr((code.co_code, code.co_consts, code.co_names)) if code else repr(function)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
