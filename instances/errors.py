"""Bad input, told in one message: which file, which place, what is wrong, what to do next."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Place: TypeAlias = tuple[str | int, ...]
"""Way into a document: keys of mappings as text, positions in lists as numbers."""

_SHOWN = 60
"""Characters of a faulty value that a message repeats."""
_SHOWN_BITS = 1024
"""Of the longest whole number that is written out: Python refuses to write much longer ones."""


class InputError(ValueError):
    """A file, a name or a flag that cannot be used; its text is the whole message.

    Attributes
    ----------
    file
        File, shipped name or flag that holds the fault.
    place
        JSON path such as ``pipelines[0].edges[2].fanout``, or a line and column; empty for the file as a whole.
    problem
        What is wrong.
    next_step
        What to do about it.
    """

    def __init__(self, file: str, place: str, problem: str, next_step: str) -> None:
        super().__init__(file, place, problem, next_step)
        self.file = file
        self.place = place
        self.problem = problem
        self.next_step = next_step

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        end = "" if self.next_step.endswith("?") else "."
        return f"{where}: {self.problem}. {self.next_step}{end}"


class MachineError(RuntimeError):
    """The machine failed: output that cannot be written, workers or a cluster that were lost. Finished work is kept."""


class HarpagonWarning(UserWarning):
    """Something valid that is most likely a mistake; its text names the place."""


def format_place(place: Place) -> str:
    """JSON path of a place.

    Examples
    --------
    >>> format_place(("profiles", "ssd320", "V100", "8"))
    'profiles.ssd320.V100.8'
    >>> format_place(("pipelines", 0, "modules", "first stage"))
    'pipelines[0].modules["first stage"]'
    """
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]{1,60}", part):
            text += f".{part}" if text else part
        else:
            text += f"[{shown(part)}]"
    return text


def shown(value: object) -> str:
    """A value as a message repeats it: JSON where it is text, number or the like, its kind otherwise, cut short."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS:
        return f"a whole number of {value.bit_length()} bits"
    if dataclasses.is_dataclass(value):
        return one(type(value))
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def one(kind: type) -> str:
    """Name of a class with its article."""
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def suggestion(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Next step for an unknown name: the known names closest to it, or ``otherwise``, or the first known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name[:100], names, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(near) + "?"
    if otherwise:
        return otherwise
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"Known here: {listed}" if names else "None is defined"
