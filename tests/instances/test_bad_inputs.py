"""Bad files give one message that names file and place, whatever is wrong with them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bad_inputs import BAD_INSTANCES, BAD_PLANS, VALID, VALID_PLAN, BadInput
from hypothesis import given, settings
from hypothesis import strategies as st

from harpagon.instances.errors import InputError
from harpagon.instances.files import documents
from harpagon.instances.files.documents import parse_json, parse_yaml
from harpagon.instances.files.instances import from_document, instance_document, read_instance
from harpagon.instances.files.plans import plan_from_document, read_plan
from harpagon.instances.instance import Instance
from harpagon.instances.library.shipped import resolve, worked_example

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just({"1": 2.0}),
    st.sampled_from([0, -1, 10**400, 1e-320, 1e308, "detect", "V100", "harpagon-instance/1"]),
)


def assert_one_message(error: InputError, path: Path, bad: BadInput) -> None:
    assert error.file == str(path)
    assert bad.place in error.place
    assert bad.words in str(error)
    assert str(error).startswith(f"{path}: ")
    assert "\n" not in str(error)
    assert len(str(error)) < len(str(path)) + 400


@pytest.mark.parametrize("bad", BAD_INSTANCES, ids=lambda bad: bad.label)
def test_bad_instance_file(bad: BadInput, tmp_path: Path) -> None:
    path = bad.write(tmp_path)
    with pytest.raises(InputError) as caught:
        read_instance(path)
    assert_one_message(caught.value, path, bad)


@pytest.mark.parametrize("bad", BAD_PLANS, ids=lambda bad: bad.label)
def test_bad_plan_file(bad: BadInput, tmp_path: Path) -> None:
    path = bad.write(tmp_path)
    with pytest.raises(InputError) as caught:
        read_plan(path, worked_example())
    assert_one_message(caught.value, path, bad)


def test_the_tables_are_long_and_their_labels_differ() -> None:
    labels = [(bad.filename, bad.label) for bad in (*BAD_INSTANCES, *BAD_PLANS)]
    assert len(BAD_INSTANCES) >= 40
    assert len({*labels}) == len(labels)


def test_a_directory_and_a_huge_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="is a directory"):
        read_instance(tmp_path)
    monkeypatch.setattr(documents, "DOCUMENT_LIMIT", 1000)
    path = tmp_path / "huge.json"
    path.write_text(" " * 2000)
    with pytest.raises(InputError, match=r"huge\.json: is larger than"):
        read_instance(path)


@pytest.mark.parametrize("depth", [40, 900, 5000])
@pytest.mark.parametrize("parse", [parse_json, parse_yaml])
def test_deep_files_are_refused(parse: Callable[[str, str], Any], depth: int) -> None:
    with pytest.raises(InputError, match="nested"):
        parse('{"a": ' * depth + '{"b": 1, "b": 2}' + "}" * depth, "deep")


def test_nested_aliases_are_refused_without_growing() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(InputError, match="aliases"):
        parse_yaml(bomb, "bomb.yaml")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("worked-exmple", "Did you mean worked-example"),
        ("traffic", "traffic-198rps-1000ms"),
        ("trafic-20rps-500ms", "Did you mean traffic"),
        ("traffic-20rps-500ms-V10", "Did you mean V100"),
        ("traffic-20rps-900ms-A10", "no figures"),
        ("traffic-0rps-900ms", "above 0"),
        ("traffic-20rps-1ms", "units"),
        ("nowhere/at-all", "no such file"),
        ("", "harpagon instances list"),
        ("a\0b", "harpagon instances list"),
    ],
)
def test_unknown_instance_names(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve(name)


def test_an_objective_that_no_configuration_meets_is_no_bad_input() -> None:
    document = copy.deepcopy(VALID)
    document["pipelines"][0]["slo_ms"] = 13
    assert from_document(document, "x").pipelines[0].slo == 0.013


def nodes(value: Any, holder: Any = None, key: Any = None) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found = [] if holder is None else [(holder, key)]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [pair for name, child in children for pair in nodes(child, value, name)]


def mangle(document: Any, data: st.DataObject) -> None:
    """Delete, replace, double or rename one node."""
    holder, key = data.draw(st.sampled_from(nodes(document)))
    action = data.draw(st.sampled_from(["delete", "replace", "double", "copy"]))
    if action == "delete":
        del holder[key]
    elif action == "replace":
        holder[key] = copy.deepcopy(data.draw(JUNK))
    elif action == "copy":
        other, name = data.draw(st.sampled_from(nodes(document)))
        holder[key] = copy.deepcopy(other[name])
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[data.draw(st.text(max_size=4))] = copy.deepcopy(holder[key])


def read_or_refuse(document: Any) -> Instance | None:
    try:
        return from_document(document, "mangled")
    except InputError as error:
        assert str(error).startswith("mangled: ")
        return None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_mangled_documents_are_refused_or_valid(data: st.DataObject) -> None:
    document = copy.deepcopy(VALID)
    for _ in range(data.draw(st.integers(1, 3))):
        mangle(document, data)
    instance = read_or_refuse(document)
    if instance is not None:
        assert instance_document(from_document(instance_document(instance), "again")) == instance_document(instance)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mangled_plans_are_refused_or_valid(data: st.DataObject) -> None:
    document = copy.deepcopy(VALID_PLAN)
    for _ in range(data.draw(st.integers(1, 3))):
        mangle(document, data)
    try:
        plan_from_document(document, worked_example(), "mangled")
    except InputError as error:
        assert str(error).startswith("mangled: ")


@settings(max_examples=300, deadline=None)
@given(st.data(), st.booleans())
def test_mangled_text_is_refused_or_valid(data: st.DataObject, as_yaml: bool) -> None:
    text = json.dumps(VALID, indent=1)
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 40)))
    broken = text[:start] + data.draw(st.text(max_size=4)) + text[stop:]
    broken = broken[: data.draw(st.integers(0, len(broken)))] if data.draw(st.booleans()) else broken
    try:
        read_or_refuse((parse_yaml if as_yaml else parse_json)(broken, "mangled"))
    except InputError as error:
        assert str(error).startswith("mangled: ")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "input.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_instance(path)
