"""From what pydantic found to one `InputError` with a place and a next step."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from harpagon.instances import checks
from harpagon.instances.errors import InputError, Place, format_place, shown, suggestion
from harpagon.instances.files import schema

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=schema.FileModel)

_FORMAT = "the format"
"""Stands for the next step of faults that a look at the format answers."""
_KINDS = {
    "float_type": checks.NUMBER,
    "int_type": checks.WHOLE,
    "int_from_float": checks.WHOLE,
    "finite_number": checks.FINITE,
    "string_type": checks.TEXT,
    "string_too_short": checks.UNNAMED,
    "string_too_long": checks.LONG,
    "string_unicode": checks.PRINTABLE,
    "string_pattern_mismatch": checks.PRINTABLE,
    "model_type": (checks.MAPPING, _FORMAT),
    "dict_type": (checks.MAPPING, _FORMAT),
    "invalid_key": ("a key must be text", "Write every key as text"),
    "list_type": ("must be a list", _FORMAT),
}
_INSTANCE_OWNERS: dict[tuple[str, ...], type[schema.FileModel]] = {
    ("hardware",): schema.HardwareFile,
    ("pipelines",): schema.PipelineFile,
    ("pipelines", "modules"): schema.ModuleFile,
    ("pipelines", "edges"): schema.EdgeFile,
}
_PLAN_OWNERS: dict[tuple[str, ...], type[schema.FileModel]] = {
    ("pipelines",): schema.PipelinePlanFile,
    ("pipelines", "modules"): schema.ModulePlanFile,
    ("pipelines", "modules", "tuples"): schema.TupleFile,
}


def validate(model: type[Model], document: Any, source: str) -> Model:
    """``document`` as a ``model``, or an `InputError` about its most telling fault.

    Parameters
    ----------
    model
        `schema.InstanceFile` or `schema.PlanFile`.
    document
        Plain data.
    source
        Name of the file, for the message.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    except RecursionError:
        raise InputError(source, "", "refers to itself or is nested too deeply", "Write the values out") from None
    raise _input_error(model, document, source, min(faults, key=_rank))


def _rank(fault: ErrorDetails) -> int:
    """A wrong format explains everything, an unknown key explains a missing one."""
    if fault["loc"] == ("format",):
        return 0
    return {"extra_forbidden": 1, "missing": 3}.get(fault["type"], 2)


def _input_error(model: type[schema.FileModel], document: Any, source: str, fault: ErrorDetails) -> InputError:
    place = _place(document, fault["loc"])
    problem, next_step = _words(model, place, fault)
    return InputError(source, format_place(place), problem, next_step)


def _place(document: Any, location: tuple[int | str, ...]) -> Place:
    """Location as keys (text) and list positions (numbers), told apart by walking the document."""
    place: list[str | int] = []
    value = document
    for part in location:
        if part == "[key]":
            break
        if part in schema.TAGS and len(place) == schema.TAGGED_LEVEL:
            continue
        in_list = isinstance(value, list)
        place.append(part if in_list else str(part))
        try:
            value = value[part]
        except (LookupError, TypeError):
            value = None
    return tuple(place)


def _words(model: type[schema.FileModel], place: Place, fault: ErrorDetails) -> tuple[str, str]:
    kind, found = fault["type"], shown(fault["input"])
    if kind == "extra_forbidden":
        return "unknown key", suggestion(str(place[-1]), _keys(model, place[:-1]))
    if kind == "missing":
        return "is missing", f"Add it; {_format_shown_by(model)}"
    if kind == "literal_error":
        return f"must be {fault['ctx']['expected']}, found {found}", "Use one of these words"
    if kind == "too_short":
        return checks.EMPTY
    if kind == "model_type" and not place:
        return f"must hold a mapping of keys to values, found {found}", "Name an instance or plan file"
    if kind in ("greater_than", "greater_than_equal", "less_than_equal"):
        return _range_words(fault)
    if kind == "float_type" and type(fault["input"]) is int:
        return f"is too large, found {found}", "Check the unit"
    problem, next_step = _KINDS.get(kind, (fault["msg"], "Correct it"))
    return f"{problem}, found {found}", _format_shown_by(model) if next_step is _FORMAT else next_step


def _format_shown_by(model: type[schema.FileModel]) -> str:
    command = "plan worked-example" if model is schema.PlanFile else "instances show worked-example"
    return f"`harpagon {command} --json` shows the format"


def _range_words(fault: ErrorDetails) -> tuple[str, str]:
    """Pydantic's bounds as `checks.range_words` has them; above 0 is a bound without a least figure."""
    context = fault["ctx"]
    least = context.get("ge", sys.float_info.min if "gt" in context else -math.inf)
    words = checks.range_words(fault["input"], least, context.get("le", math.inf))
    return words or (fault["msg"], "Correct it")


def _keys(model: type[schema.FileModel], place: Place) -> list[str]:
    """Keys that the mapping at ``place`` may have."""
    owner: type[schema.FileModel]
    if place and place[0] == "profiles":
        owner = schema.CapacityFile if "capacity" in place[3:4] else schema.DurationFile
    else:
        owners = _INSTANCE_OWNERS if model is schema.InstanceFile else _PLAN_OWNERS
        owner = owners.get(tuple(map(str, place[::2])), model)
    return [field.alias or name for name, field in owner.model_fields.items()]
