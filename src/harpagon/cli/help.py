"""How help looks: paragraphs wrap to the terminal, values have names in words, and a flag shows no type.

Below `_WIDE` columns the tables of options would cut words off, so that help is plain paragraphs there.
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from harpagon.cli.console import terminal_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

_BREAK_IN_PARAGRAPH = re.compile(r"(?<=\S)\n(?=\S)")
_MARKUP = re.compile(r"\[/?(bold|dim|italic)?\]")
_WIDE = 80
_WORDS = {int: "N", float: "NUMBER", str: "TEXT"}
"""Type of a value to its name where an option gives none."""


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


class _LaidOut:
    """A command or group whose help fits the terminal and names values in words."""

    def get_params(self, ctx: Any) -> Any:
        return _in_words(super().get_params(ctx))  # type: ignore[misc]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        if terminal_width() >= _WIDE:
            super().format_help(ctx, formatter)  # type: ignore[misc]
        else:
            formatter.write(_narrow(self, ctx, terminal_width()))


class _Command(_LaidOut, TyperCommand):
    pass


class _Group(_LaidOut, TyperGroup):
    pass


def _in_words(parameters: Any) -> Any:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        elif isinstance(parameter, TyperArgument):
            parameter.display_type_rich = _no_type  # type: ignore[method-assign]
        elif parameter.metavar is None:
            described: Any = getattr(parameter, "type_descriptor", None)
            parameter.metavar = _WORDS.get(described.annotation) if described is not None else None
    return parameters


def _no_type(ctx: Any) -> None:
    """An argument is named by its metavar."""


def _narrow(command: Any, ctx: Any, width: int) -> str:
    """Help as paragraphs of at most ``width`` columns."""
    lines = [*_paragraph(command.get_usage(ctx), "", "  ", width), ""]
    for text in (command.help or "").strip().split("\n"):
        indent = " " * (len(text) - len(text.lstrip()))
        lines += _paragraph(text, indent, 2 * indent, width) or [""]
    for parameter in command.get_params(ctx):
        head, text = parameter.get_help_record(ctx) or ("", "")
        lines += ["", *_definition(head, text, width)] if head else []
    for name in command.list_commands(ctx) if isinstance(command, TyperGroup) else ():
        lines += ["", *_definition(name, command.get_command(ctx, name).get_short_help_str(10_000), width)]
    return "\n".join(lines) + "\n"


def _definition(head: str, text: str, width: int) -> Iterator[str]:
    yield from _paragraph(head.replace("|", " | "), "", "  ", width)
    yield from _paragraph(text, "    ", "    ", width)


def _paragraph(text: str, first: str, more: str, width: int) -> list[str]:
    """Lines of a paragraph without markup, words broken only where they are longer than a line."""
    text = _MARKUP.sub("", text).strip()
    return wrap(text, width, initial_indent=first, subsequent_indent=more, break_on_hyphens=False)
