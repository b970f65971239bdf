"""Valid instances that are most likely mistakes are named; shipped ones are not."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from bad_inputs import VALID

from harpagon.cli import main
from harpagon.instances.errors import HarpagonWarning, InputError, MachineError
from harpagon.instances.files.documents import DOCUMENT_LIMIT
from harpagon.instances.files.instances import from_document, read_instance
from harpagon.instances.files.template import TEMPLATE, instance_schema, write_template
from harpagon.instances.library.profiles import DATA
from harpagon.instances.library.suites import suite_workloads
from harpagon.instances.mistakes import mistakes

SSD = ("profiles", "ssd320")


def changed(edit: Callable[[Any], object]) -> list[str]:
    document = copy.deepcopy(VALID)
    document["profiles"]["resnet50"]["T4"] = {"1": 13.0}
    edit(document)
    return list(mistakes(from_document(document, "file")))


def put(document: Any, *way: Any) -> None:
    *steps, key, value = way
    for step in steps:
        document = document[step]
    document[key] = value


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda d: put(d, *SSD, "T4", {"1": 0.0519}), "profiles.ssd320.T4: 312 times quicker than the others"),
        (lambda d: put(d, *SSD, {"V100": {"1": 0.003}, "T4": {"1": 0.004}}), "profiles.ssd320: "),
        (lambda d: put(d, *SSD, "V100", "8", 0.1294), "a batch of 8 is quicker than one of 1: 0.1294 ms against 35.3"),
        (lambda d: put(d, *SSD, "T4", {"1": {"mean_ms": 60, "p50_ms": 40, "p90_ms": 360}}), "9.0 times its median"),
        (lambda d: put(d, *SSD, "T4", {"1": {"mean_ms": 40, "p90_ms": 360}}), "9.0 times its mean"),
        (lambda d: d["profiles"]["resnet50"].pop("T4"), "profiles.resnet50: no profile on T4"),
        (lambda d: put(d, "pipelines", 0, "edges", []), "pipelines[0].modules: no edge joins classify to the rest"),
    ],
)
def test_every_kind_of_mistake_is_named(edit: Callable[[Any], object], words: str) -> None:
    assert changed(lambda d: None) == []
    assert any(words in message for message in changed(edit)), changed(edit)


def test_shipped_instances_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in sorted((DATA / "examples").glob("*.yaml")):
            read_instance(path)


def test_workloads_of_the_suite_have_no_unit_mistakes() -> None:
    for workload in suite_workloads("smoke"):
        assert [m for m in mistakes(workload.instance()) if "times" in m or "joins" in m] == []


def test_warnings_come_on_standard_error_and_in_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(VALID))
    with pytest.warns(HarpagonWarning, match="no profile on T4"):
        read_instance(path)
    assert main(["plan", str(path), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["instance"] == "two-stage"
    assert captured.err.count("harpagon: warning: ") == 1
    assert "profiles.resnet50: no profile on T4" in captured.err


def test_the_template_is_an_instance_that_has_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    assert main(["instances", "init", str(path)]) == 0
    assert path.read_text() == TEMPLATE
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_instance(path).name == "my-pipeline"
    assert main(["plan", str(path)]) == 0
    assert main(["instances", "init", str(path)]) == 2
    assert "there is such a file already" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"End it in \.yaml"):
        write_template(tmp_path / "mine.json")
    with pytest.raises(MachineError, match="cannot be written"):
        write_template(tmp_path / "no" / "folder.yaml")


def test_the_schema_knows_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["instances", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == instance_schema()
    assert set(schema["required"]) == {"format", "name", "hardware", "profiles", "pipelines"}
    assert set(schema["$defs"]["HardwareFile"]["properties"]) == {"price_per_hour", "limit", "bundle", "memory_gb"}
    assert {"from", "to", "fanout", "transfer_ms"} == set(schema["$defs"]["EdgeFile"]["properties"])
    assert schema["$defs"]["HardwareFile"]["additionalProperties"] is False
    durations = schema["$defs"]["ProfileFile"]["additionalProperties"]
    assert {"number", None} == {kind.get("type") for kind in durations["oneOf"]}


def test_the_schema_accepts_what_the_reader_accepts() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft7Validator(instance_schema())
    assert list(validator.iter_errors(VALID)) == []
    wrong = copy.deepcopy(VALID)
    wrong["pipelines"][0]["edges"][0]["fan_out"] = 2
    assert list(validator.iter_errors(wrong))


def test_pipes_devices_and_large_files_are_refused_unread(tmp_path: Path) -> None:
    import os

    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(DOCUMENT_LIMIT + 1)
    for path, words in ((pipe, "a pipe or a device"), (Path("/dev/zero"), "a pipe or a device"), (large, "10 MB")):
        with pytest.raises(InputError, match=words):
            read_instance(path)


def test_graphs_of_instances_stay_networkx_graphs() -> None:
    graph = from_document(VALID, "file").pipelines[0].graph
    assert nx.utils.graphs_equal(graph, graph.copy())
