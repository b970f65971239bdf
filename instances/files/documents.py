"""JSON and YAML text into plain data, refusing what a careful reader would not trust.

Repeated keys, YAML aliases and tags, several documents in one file, and files beyond `DOCUMENT_LIMIT` are errors, not
surprises. YAML scalars follow the core schema of YAML 1.2: ``1e3`` is a number, ``no`` and ``2024-01-01`` are text.
"""

from __future__ import annotations

import json
import re
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harpagon.instances.errors import InputError, Place, format_place, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_LIMIT = 50_000_000
"""Bytes of the largest file that is read."""
DOCUMENT_LIMIT = 10_000_000
"""Bytes of the largest document: parsed, it takes some twenty-five times its size in memory."""

_DEPTH_LIMIT = 32
"""Levels of nesting; the formats of this package need eight."""
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", "+.Inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN"), float("nan")),
}


def read_document(path: str | Path) -> Any:
    """Plain data of a JSON or YAML file.

    A name that ends in ``.json`` is read as JSON, ``.yaml`` and ``.yml`` as YAML; other files as JSON where they
    begin with a brace.

    Raises
    ------
    InputError
        Where the file is missing, unreadable, too large, not UTF-8, empty, or not well formed.
    """
    text = read_text(path, "See `harpagon instances show worked-example --json` for the format", DOCUMENT_LIMIT)
    suffix = Path(path).suffix.lower()
    is_json = suffix == ".json" or (suffix not in (".yaml", ".yml") and text.lstrip().startswith("{"))
    return parse_json(text, str(path)) if is_json else parse_yaml(text, str(path))


def read_text(path: str | Path, wanted: str, limit: int = SIZE_LIMIT) -> str:
    """Text of a UTF-8 file of at most ``limit`` bytes; ``wanted`` is the next step named where it is empty."""
    source = str(path)
    try:
        text = _read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(source, f"byte {error.start}", "is not UTF-8 text", "Save the file as UTF-8") from None
    if not text.strip():
        raise InputError(source, "", "is empty", wanted)
    return text


def _read_bytes(path: str | Path, limit: int) -> bytes:
    source = str(path)
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise InputError(source, "", "is a pipe or a device, not a file", "Write it into a file first")
        size = status.st_size
        if size <= limit:
            with Path(path).open("rb") as file:
                content = file.read(limit + 1)
                size = max(size, len(content))
    except FileNotFoundError:
        raise InputError(source, "", "there is no such file", "Check the path") from None
    except IsADirectoryError:
        raise InputError(source, "", "is a directory, not a file", "Name a file in it") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(source, "", f"cannot be read ({reason})", "Check the path and its permissions") from None
    if size > limit:
        problem = f"is larger than the {limit / 1e6:g} MB that are read"
        raise InputError(source, "", problem, "Split it into several files")
    return content


class _Repeated(dict[str, Any]):
    """A JSON object in which ``key`` stands twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.key = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeated(pairs)


def parse_json(text: str, source: str) -> Any:
    """Plain data of JSON text; ``source`` names it in messages."""
    try:
        document = json.loads(text, object_pairs_hook=_mapping, parse_int=_integer)
        repeated = next(_repeated_keys(document, ()), None)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(source, place, f"is not JSON ({error.msg})", "Correct or complete the file") from None
    except RecursionError:
        raise InputError(source, "", "is nested too deeply", f"Use at most {_DEPTH_LIMIT} levels") from None
    if repeated is not None:
        _refuse_repeated(source, repeated, "")
    return document


def _repeated_keys(value: Any, place: Place) -> Iterator[Place]:
    """Places of keys that stand twice; a `RecursionError` where the document is nested too deeply."""
    if len(place) > _DEPTH_LIMIT:
        raise RecursionError
    if isinstance(value, _Repeated):
        yield (*place, value.key)
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _repeated_keys(child, (*place, key))


def _refuse_repeated(source: str, place: Place, line: str) -> NoReturn:
    raise InputError(source, format_place(place), f"this key stands twice{line}", "Remove or rename one of the two")


def parse_yaml(text: str, source: str) -> Any:
    """Plain data of YAML text; ``source`` names it in messages."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return _YamlReader(yaml.parse(text, Loader=loader), source).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = f"is not YAML ({error.problem or error.context})"
        raise InputError(source, place, problem, "Correct the file; indent with spaces") from None
    except yaml.YAMLError as error:
        problem = f"is not YAML ({str(error).splitlines()[0]})"
        raise InputError(source, "", problem, "Remove characters that are not text") from None


class _YamlReader:
    """Plain data from the events of a YAML parser, one event at a time."""

    def __init__(self, events: Iterator[Any], source: str) -> None:
        self._events = events
        self._source = source

    def document(self) -> Any:
        next(self._events)  # start of the stream
        start = next(self._events)
        if type(start).__name__ == "StreamEndEvent":
            raise InputError(self._source, "", "holds no document", "Write one instance into it")
        value = self._value(next(self._events), ())
        next(self._events)  # end of the document
        after = next(self._events)
        if type(after).__name__ != "StreamEndEvent":
            place = f"line {after.start_mark.line + 1}"
            raise InputError(self._source, place, "a second document begins here", "Keep one document per file")
        return value

    def _value(self, event: Any, place: Place) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent":
            self._refuse(event, place, "aliases (*name) are not read", "Write the value out")
        if event.tag not in (None, "!"):
            self._refuse(event, place, f"tags ({shown(event.tag)}) are not read", "Remove the tag")
        if len(place) > _DEPTH_LIMIT:
            self._refuse(event, (), "is nested too deeply", f"Use at most {_DEPTH_LIMIT} levels")
        if kind == "MappingStartEvent":
            return self._mapping(place)
        if kind == "SequenceStartEvent":
            return self._sequence(place)
        return _scalar(event.value) if event.implicit[0] else event.value

    def _mapping(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._until("MappingEndEvent"):
            if type(event).__name__ != "ScalarEvent":
                self._refuse(event, place, "a key must be a single word", "Write the key as text")
            if event.value in found:
                _refuse_repeated(self._source, (*place, event.value), f" (line {event.start_mark.line + 1})")
            found[event.value] = self._value(next(self._events), (*place, event.value))
        return found

    def _sequence(self, place: Place) -> list[Any]:
        found: list[Any] = []
        for event in self._until("SequenceEndEvent"):
            found.append(self._value(event, (*place, len(found))))
        return found

    def _until(self, end: str) -> Iterator[Any]:
        for event in self._events:
            if type(event).__name__ == end:
                return
            yield event

    def _refuse(self, event: Any, place: Place, problem: str, next_step: str) -> NoReturn:
        line = f"line {event.start_mark.line + 1}"
        where = f"{format_place(place)} ({line})" if place else line
        raise InputError(self._source, where, problem, next_step)


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _integer(text: str) -> int | float:
    """An integer, as a float where it is too long to be a quantity."""
    return int(text) if len(text) <= 100 else float(text)
