"""How help looks: paragraphs wrap to the terminal, and a flag shows no type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    import typer

_BREAK_IN_PARAGRAPH = re.compile(r"(?<=\S)\n(?=\S)")


def lay_out(app: typer.Typer) -> None:
    """Give an application, its commands and its groups this look."""
    app.info.cls, app.info.help = _Group, _wrapping(app.info.help)
    for command in app.registered_commands:
        command.cls, command.help = _Command, _wrapping(command.help)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            lay_out(group.typer_instance)


def _wrapping(text: str | None) -> str | None:
    """Paragraphs as one line each; lines that begin with a space, such as examples, stay."""
    return _BREAK_IN_PARAGRAPH.sub(" ", text) if isinstance(text, str) else text


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> Any:
        return _without_types_of_flags(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> Any:
        return _without_types_of_flags(super().get_params(ctx))


def _without_types_of_flags(parameters: Any) -> Any:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
