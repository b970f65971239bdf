"""``harpagon methods``: every planning method, what it promises and what it plans for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harpagon.cli.console import show, show_json
from harpagon.cli.inputs import JsonOption, PluginOption, load_plugins

if TYPE_CHECKING:
    import typer

_HELP = """List the planning methods: what each promises, and the dispatch policies that it plans for.

Every name is taken by --method of harpagon plan and --methods of harpagon gap. The first policy is the one that a
method plans for unless --dispatch names another.

[bold]Examples[/bold]

  harpagon methods

  harpagon methods --plugin mine.py

  harpagon methods --json
"""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("methods", help=_HELP)(methods)


def methods(plugin: PluginOption = None, as_json: JsonOption = False) -> None:
    """Run ``harpagon methods``."""
    from harpagon.cli.views.methods import methods_document, methods_view
    from harpagon.solvers.methods import METHODS, load_entry_points

    load_plugins(plugin)
    load_entry_points()
    if as_json:
        show_json(methods_document(METHODS.values()))
    else:
        show(*methods_view(METHODS.values()))
