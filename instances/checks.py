"""What figures, names and words may be, and the words for what they may not: shared by files and objects."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from contextlib import contextmanager
from numbers import Rational, Real
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from harpagon.instances.errors import InputError, Place, format_place, one, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

LEAST, MOST = 1e-9, 1e9
"""Range of positive figures in the units of files: quotients and products of the physics stay finite."""
LARGEST_BATCH = 1_000_000
"""Requests of the largest batch."""
MOST_COUNT = 1_000_000_000
"""Largest number of machines that a limit or a plan may name."""
NAME_LENGTH = 200
"""Characters of the longest name."""

NUMBER = ("must be a number", "Give a number, without quotes")
WHOLE = ("must be a whole number", "Give a whole number, without quotes")
FINITE = ("must be a finite number", "Give a number")
TEXT = ("must be text", "Write it in quotes")
PRINTABLE = ("must be printable text", "Remove characters that cannot be shown")
LONG = ("is too long for a name", f"Use at most {NAME_LENGTH} characters")
UNNAMED = ("must not be empty", "Give a name")
EMPTY = ("must not be empty", "Add at least one entry")
MAPPING = "must be a mapping of keys to values"
BATCH_TWICE = ("a batch size stands twice", "Keep one entry per batch size")
RATE_TWICE = ("a rate stands twice", "Keep one latency per rate")


_OWN = (int, float, type(None))


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is a number, of Python or of NumPy; true and false are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def plain(value: Any) -> Any:
    """A number of another kind, such as NumPy's, as Python's own; all else as it is."""
    if type(value) in _OWN:
        return value
    if getattr(value, "shape", None) == ():
        value = value.item()
    if not is_number(value):
        return value
    return int(value) if hasattr(value, "__index__") else float(value)


def settle(thing: object, *names: str) -> None:
    """Make figures of a frozen object, once checked, `plain`: what a file can hold."""
    for name in names:
        value = getattr(thing, name)
        if type(value) not in _OWN:
            object.__setattr__(thing, name, plain(value))


def range_words(found: Any, least: float, most: float) -> tuple[str, str] | None:
    """What is wrong with a figure and what to do, None where it lies within the range."""
    if found > most:
        return f"must be at most {most:g}, found {shown(found)}", "Check the unit"
    if found >= least:
        return None
    if 0 < least < 1 and found <= 0:
        return f"must be above 0, found {shown(found)}", "Give a positive number"
    return f"must be at least {least:g}, found {shown(found)}", "Check the sign and the unit"


def one_of_words(found: Any, words: Iterable[str]) -> tuple[str, str]:
    """For a value that is none of ``words``."""
    *others, last = [f"'{word}'" for word in words]
    listed = f"{', '.join(others)} or {last}" if others else last
    return f"must be {listed}, found {shown(found)}", "Use one of these words"


def loop_words(name: str) -> tuple[str, str]:
    """For an edge from a module to itself."""
    return f"{name} -> {name} joins a module to itself", "Remove the edge"


class Checks:
    """Checks of one object, which raise an `InputError` that names it.

    Parameters
    ----------
    owner
        What the object is called, in the place of a file.
    """

    __slots__ = ("owner",)

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def refuse(self, place: Place, problem: str, next_step: str) -> NoReturn:
        """Raise the error."""
        raise InputError(self.owner, format_place(place), problem, next_step)

    def number(self, place: Place, value: Any, least: float, most: float) -> None:
        """Refuse all but finite numbers within a range."""
        if not is_number(value):
            self.refuse(place, f"{NUMBER[0]}, found {shown(value)}", NUMBER[1])
        if not (isinstance(value, Rational) or math.isfinite(value)):
            self.refuse(place, f"{FINITE[0]}, found {shown(value)}", FINITE[1])
        words = range_words(value if isinstance(value, Rational) else float(value), least, most)
        if words:
            self.refuse(place, *words)

    def count(self, place: Place, value: Any, least: int, most: int) -> None:
        """Refuse all but whole numbers within a range."""
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            self.refuse(place, f"{WHOLE[0]}, found {shown(value)}", WHOLE[1])
        self.number(place, value, least, most)

    def name(self, place: Place, value: Any) -> None:
        """Refuse all but printable text of a sensible length."""
        words = None
        if not isinstance(value, str):
            words = TEXT
        elif not value:
            words = UNNAMED
        elif len(value) > NAME_LENGTH:
            words = LONG
        elif not value.isprintable() and any(unicodedata.category(letter)[0] == "C" for letter in value):
            words = PRINTABLE
        if words:
            self.refuse(place, f"{words[0]}, found {shown(value)}", words[1])

    def word(self, place: Place, value: Any, words: Collection[str]) -> None:
        """Refuse all but some words."""
        if value not in words:
            self.refuse(place, *one_of_words(value, words))

    def keys(self, place: Place, found: Mapping[str, Any], known: Collection[str]) -> None:
        """Refuse unknown keys."""
        for key in found:
            if key not in known:
                self.refuse((*place, str(key)), "unknown key", suggestion(str(key), known))

    def kind(self, place: Place, value: Any, wanted: type) -> None:
        """Refuse objects of another class."""
        if not isinstance(value, wanted):
            self.refuse(place, f"must be {one(wanted)}, found {shown(value)}", f"Give {one(wanted)}")

    def filled(self, place: Place, value: Any) -> None:
        """Refuse what is no mapping, or an empty one."""
        if not isinstance(value, Mapping):
            self.refuse(place, f"{MAPPING}, found {shown(value)}", "Give a dictionary")
        if not value:
            self.refuse(place, *EMPTY)

    def listed(self, place: Place, value: Any) -> None:
        """Refuse what is no list or tuple, or an empty one."""
        if not isinstance(value, tuple | list):
            self.refuse(place, f"must be a list, found {shown(value)}", "Give a tuple")
        if not value:
            self.refuse(place, *EMPTY)


def expect(wanted: type, **arguments: object) -> None:
    """Refuse arguments, by name, that are not of a class: a name in the place of an instance, two in each other's."""
    for name, value in arguments.items():
        Checks(name).kind((), value, wanted)


@contextmanager
def located(source: str, place: Place) -> Iterator[None]:
    """Faults of objects built inside are faults of the file ``source``, below ``place``."""
    try:
        yield
    except InputError as error:
        before = format_place(place)
        dot = "." if before and error.place and not error.place.startswith("[") else ""
        raise InputError(source, before + dot + error.place, error.problem, error.next_step) from None
