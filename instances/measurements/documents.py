"""JSON results: numbers out of documents, with the place where one is missing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harpagon.instances.errors import InputError, shown
from harpagon.instances.files.documents import parse_json, read_text

if TYPE_CHECKING:
    from pathlib import Path


class Entry:
    """One JSON object of a results file."""

    def __init__(self, document: Any, source: str, place: str, kind: str) -> None:
        if not isinstance(document, dict):
            raise InputError(source, place, f"is {shown(document)}, not a result", f"Give a {kind}")
        self.source = source
        self.place = place or "the file"
        self._document: dict[str, Any] = document

    def get(self, *keys: str) -> Any:
        """What stands under a way of keys; None where there is none."""
        value: Any = self._document
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def number(self, *keys: str) -> float | None:
        """Number from 0 under a way of keys; None where there is none. InputError for anything else."""
        value = self.get(*keys)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise self.fault(".".join(keys), f"is {shown(value)}", "Give a number from 0")
        return float(value)

    def required(self, *keys: str, kind: str) -> float:
        """Number from 0 under a way of keys; InputError where there is none."""
        value = self.number(*keys)
        if value is None:
            raise self.fault("", f"has no {'.'.join(keys)}: this is no {kind}", f"Give a {kind}")
        return value

    def fault(self, key: str, problem: str, next_step: str) -> InputError:
        """Error that names the place of ``key`` in this result."""
        place = ", ".join(part for part in (self.place if self.place != "the file" else "", key) if part)
        return InputError(self.source, place, problem, next_step)


def read_entries(path: Path, kind: str) -> list[Entry]:
    """Results of a JSON document, of a list in one, or of a file with one JSON object a line.

    Raises
    ------
    InputError
        With line and column, where the file is no JSON; with the place, where there is no object.
    """
    text, source = read_text(path, f"Give a {kind}"), str(path)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith("{") and line.rstrip().endswith("}") for _, line in lines):
        return [Entry(_line(line, source, number), source, f"line {number}", kind) for number, line in lines]
    if not text.lstrip().startswith(("{", "[")):
        raise InputError(source, "line 1", "is no JSON", f"Give a {kind}")
    document = parse_json(text, source)
    if isinstance(document, list):
        return [Entry(item, source, f"[{position}]", kind) for position, item in enumerate(document)]
    return [Entry(document, source, "", kind)]


def _line(text: str, source: str, number: int) -> Any:
    try:
        return parse_json(text, source)
    except InputError as error:
        column = error.place.replace("line 1", f"line {number}")
        raise InputError(source, column, error.problem, error.next_step) from None
