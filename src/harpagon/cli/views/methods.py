"""The registry of methods in the terminal: a table per promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.tables import plain_table
from harpagon.instances.policies import Billing
from harpagon.solvers.method import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from harpagon.instances.policies import Dispatch
    from harpagon.solvers.method import Method

_TITLES = {
    Kind.EXACT: "exact: a proven optimum, or the best plan found and a bound",
    Kind.HEURISTIC: "heuristic: a plan without a bound; [R] marks a reconstruction",
}


def methods_view(methods: Iterable[Method]) -> list[Table]:
    """What to print."""
    listed = list(methods)
    return [_table(kind, [method for method in listed if method.kind is kind]) for kind in Kind]


def _table(kind: Kind, methods: Iterable[Method]) -> Table:
    table = plain_table("method", "what it does", "dispatch", left=(0, 1, 2), title=_TITLES[kind])
    for method in methods:
        table.add_row(Text(method.name, no_wrap=True), Text(method.summary), Text(", ".join(policies(method))))
    return table


def policies(method: Method) -> list[Dispatch]:
    """Dispatch policies that a method plans for, its default first."""
    return sorted(method.capabilities.dispatches, key=lambda policy: policy is not method.default_dispatch)


def _under(billing: Billing, method: Method) -> list[str]:
    return [str(policy) for policy in policies(method) if (billing, policy) in method.capabilities.cases]


def methods_document(methods: Iterable[Method]) -> list[dict[str, object]]:
    """The same as a JSON document: policies per billing, and what a profile or hardware type may carry."""
    return [
        {
            "name": method.name,
            "kind": str(method.kind),
            "summary": method.summary,
            "default_dispatch": str(method.default_dispatch),
            "dispatch": {str(billing): _under(billing, method) for billing in Billing},
            "limits": method.capabilities.limits,
            "capacity_profiles": method.capabilities.capacity,
        }
        for method in methods
    ]
