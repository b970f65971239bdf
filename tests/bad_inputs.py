"""Bad files with the place and the words that their one message must have; shared by readers' and commands' tests."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

VALID: dict[str, Any] = {
    "format": "harpagon-instance/1",
    "name": "two-stage",
    "billing": "whole",
    "hardware": {"V100": {"price_per_hour": 3.06, "limit": 8}, "T4": {"price_per_hour": 0.526}},
    "profiles": {
        "ssd320": {"V100": {"1": 35.3, "8": 129.4}, "T4": {"1": 51.9}},
        "resnet50": {"V100": {"1": 12.78, "8": 13.65}},
    },
    "pipelines": [
        {
            "name": "traffic",
            "rate_rps": 50,
            "slo_ms": 400,
            "modules": {"detect": {"model": "ssd320"}, "classify": {"model": "resnet50", "join": "all"}},
            "edges": [{"from": "detect", "to": "classify", "fanout": 1.4, "transfer_ms": 0}],
        }
    ],
}
"""A small valid instance file that the faulty ones are made from."""

VALID_PLAN: dict[str, Any] = {
    "format": "harpagon-plan/2",
    "instance": "worked-example",
    "instance_digest": "",
    "method": "exact",
    "billing": "fractional",
    "dispatch": "tc",
    "status": "optimal",
    "cost_per_hour": 5.0,
    "lower_bound": 5.0,
    "gap": 0.0,
    "headroom": 0.0,
    "spare": 0,
    "build_s": 0.001,
    "solve_s": 0.002,
    "solver": {"name": "exact", "version": "1", "options": {}},
    "pipelines": [
        {
            "name": "example",
            "latency_ms": 960.0,
            "slo_ms": 1000.0,
            "modules": {
                "detect": {
                    "rate_rps": 198,
                    "spare_rps": 2,
                    "latency_ms": 960.0,
                    "cost_per_hour": 5.0,
                    "tuples": [{"hardware": "gpu", "batch": 32, "machines": 5, "rate_rps": 200, "latency_ms": 960.0}],
                }
            },
        }
    ],
}
"""The optimal plan of the shipped worked example."""


@dataclass(frozen=True)
class BadInput:
    """A faulty file: its bytes (None for a file that is not there), and what the message must name."""

    label: str
    content: bytes | None
    place: str
    words: str
    filename: str = "input.json"

    def write(self, folder: Path) -> Path:
        """Write the file into ``folder`` and return its path."""
        path = folder / self.filename
        if self.content is not None:
            path.write_bytes(self.content)
        return path


def edited(document: dict[str, Any], edit: Callable[[dict[str, Any]], object]) -> bytes:
    """JSON of a copy of ``document`` after ``edit``."""
    changed = copy.deepcopy(document)
    edit(changed)
    return json.dumps(changed).encode()


def _bad(label: str, edit: Callable[[dict[str, Any]], object], place: str, words: str) -> BadInput:
    return BadInput(label, edited(VALID, edit), place, words)


def _put(*way: Any) -> Callable[[dict[str, Any]], object]:
    """Edit that walks along all but the last two items of ``way`` and sets the last but one to the last."""
    *steps, key, value = way

    def edit(document: Any) -> None:
        for step in steps:
            document = document[step]
        document[key] = value

    return edit


def _drop(*way: Any) -> Callable[[dict[str, Any]], object]:
    *steps, key = way

    def edit(document: Any) -> None:
        for step in steps:
            document = document[step]
        del document[key]

    return edit


def _edge(tail: str, head: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["pipelines"][0]["edges"].append({"from": tail, "to": head})


_PIPELINE = ("pipelines", 0)
_EDGE = ("pipelines", 0, "edges", 0)
_V100 = ("profiles", "ssd320", "V100")


def _huge_rates(document: dict[str, Any]) -> None:
    document["pipelines"][0]["rate_rps"] = document["pipelines"][0]["edges"][0]["fanout"] = 1e9


_TEXT = json.dumps(VALID)

BAD_INSTANCES = [
    BadInput("missing file", None, "", "no such file"),
    BadInput("empty file", b"", "", "empty"),
    BadInput("only blanks", b" \n\t\n", "", "empty"),
    BadInput("not UTF-8", b'{"name": "\xff\xfe"}', "byte 10", "UTF-8"),
    BadInput("truncated JSON", _TEXT[:200].encode(), "line 1, column", "not JSON"),
    BadInput("JSON with a trailing comma", b'{"format": "harpagon-instance/1",}', "line 1, column 3", "not JSON"),
    BadInput("nested without end", b"[" * 100_000, "", "nested"),
    BadInput("a list at the top", b"[]", "", "mapping"),
    BadInput("a number at the top", b"7", "", "mapping"),
    BadInput("JSON key twice", b'{"name": "a", "hardware": {"T4": 1, "T4": 2}}', "hardware.T4", "twice"),
    BadInput("YAML key twice", b"name: a\nhardware: {T4: 1, T4: 2}\n", "hardware.T4", "twice", "input.yaml"),
    BadInput("YAML alias", b"name: &a x\nhardware: *a\n", "hardware (line 2)", "aliases", "input.yaml"),
    BadInput("YAML tag", b"name: !!python/name:os.system x\n", "name (line 1)", "tags", "input.yaml"),
    BadInput("YAML with a tab", b"name:\n\t- x\n", "line 2", "not YAML", "input.yaml"),
    BadInput("two YAML documents", b"name: a\n---\nname: b\n", "line 2", "second document", "input.yaml"),
    BadInput("YAML of comments", b"# nothing\n", "", "no document", "input.yaml"),
    BadInput("YAML with control characters", b"name: \x01\n", "", "not YAML", "input.yaml"),
    BadInput("YAML batch twice", b"profiles: {m: {T4: {8: 1, 8: 2}}}\n", "profiles.m.T4.8", "twice", "input.yaml"),
    _bad("no format", _drop("format"), "format", "missing"),
    _bad("wrong format", _put("format", "harpagon-plan/1"), "format", "harpagon-instance/1"),
    _bad("no name", _drop("name"), "name", "missing"),
    _bad("unknown billing", _put("billing", "hourly"), "billing", "'whole', 'fractional' or 'shared'"),
    _bad("unknown key", _put("hardwares", {}), "hardwares", "Did you mean hardware?"),
    _bad(
        "misspelt key",
        lambda d: d["pipelines"][0].update(slo=d["pipelines"][0].pop("slo_ms")),
        "pipelines[0].slo",
        "slo_ms",
    ),
    _bad("misspelt edge key", _put(*_EDGE, "fan_out", 2), "pipelines[0].edges[0].fan_out", "fanout"),
    _bad("no hardware", _put("hardware", {}), "hardware", "empty"),
    _bad("price of zero", _put("hardware", "T4", "price_per_hour", 0), "hardware.T4.price_per_hour", "above 0"),
    _bad("price as text", _put("hardware", "T4", "price_per_hour", "0.5"), "hardware.T4.price_per_hour", "number"),
    _bad("negative limit", _put("hardware", "T4", "limit", -1), "hardware.T4.limit", "at least 0"),
    _bad("limit with a fraction", _put("hardware", "T4", "limit", 1.5), "hardware.T4.limit", "whole number"),
    _bad("no profiles", _drop("profiles"), "profiles", "missing"),
    _bad("model without hardware", _put("profiles", "ssd320", {}), "profiles.ssd320", "empty"),
    _bad("model without batches", _put(*_V100, {}), "profiles.ssd320.V100", "empty"),
    _bad("profile on unknown hardware", _put("profiles", "ssd320", "V10", {"1": 3}), "profiles.ssd320.V10", "V100"),
    _bad("duration of zero", _put(*_V100, "8", 0), "profiles.ssd320.V100.8", "above 0"),
    _bad("negative duration", _put(*_V100, "8", -3.5), "profiles.ssd320.V100.8", "above 0"),
    _bad("duration NaN", _put(*_V100, "8", float("nan")), "profiles.ssd320.V100.8", "finite"),
    _bad("duration infinite", _put(*_V100, "8", float("inf")), "profiles.ssd320.V100.8", "finite"),
    _bad("duration true", _put(*_V100, "8", True), "profiles.ssd320.V100.8", "number"),
    _bad("duration null", _put(*_V100, "8", None), "profiles.ssd320.V100.8", "number"),
    _bad("duration beyond any unit", _put(*_V100, "8", 1e300), "profiles.ssd320.V100.8", "at most"),
    _bad("batch of zero", _put(*_V100, "0", 3), "profiles.ssd320.V100.0", "at least 1"),
    _bad("batch with a fraction", _put(*_V100, "1.5", 3), "profiles.ssd320.V100", "whole number"),
    _bad("batch as a word", _put(*_V100, "many", 3), "profiles.ssd320.V100.many", "whole number"),
    _bad("batch twice in two spellings", _put(*_V100, "08", 3), "profiles.ssd320.V100", "twice"),
    _bad("no pipelines", _put("pipelines", []), "pipelines", "empty"),
    _bad("pipelines no list", _put("pipelines", {}), "pipelines", "list"),
    _bad("pipeline name twice", lambda d: d["pipelines"].append(d["pipelines"][0]), "pipelines[1].name", "second"),
    _bad("rate of zero", _put(*_PIPELINE, "rate_rps", 0), "pipelines[0].rate_rps", "above 0"),
    _bad("rate as text", _put(*_PIPELINE, "rate_rps", "fast"), "pipelines[0].rate_rps", "number"),
    _bad("SLO of zero", _put(*_PIPELINE, "slo_ms", 0), "pipelines[0].slo_ms", "above 0"),
    _bad("SLO in seconds", _put(*_PIPELINE, "slo_ms", 0.4), "pipelines[0].slo_ms", "units"),
    _bad("name with a line break", _put(*_PIPELINE, "name", "a\nb"), "pipelines[0].name", "printable"),
    _bad("name with half a character", _put(*_PIPELINE, "name", "a\ud800"), "pipelines[0].name", "printable"),
    _bad("key with a line break", _put("hardware", "T4\n", {"price_per_hour": 1}), 'hardware["T4\\n"]', "printable"),
    _bad("no modules", _put(*_PIPELINE, "modules", {}), "pipelines[0].modules", "empty"),
    _bad(
        "unknown model",
        _put(*_PIPELINE, "modules", "detect", "model", "ssd302"),
        "pipelines[0].modules.detect.model",
        "ssd320",
    ),
    _bad(
        "unknown join",
        _put(*_PIPELINE, "modules", "detect", "join", "some"),
        "pipelines[0].modules.detect.join",
        "'all' or 'any'",
    ),
    _bad(
        "module no mapping", _put(*_PIPELINE, "modules", "detect", "ssd320"), "pipelines[0].modules.detect", "mapping"
    ),
    _bad("edge from nowhere", _put(*_EDGE, "from", "detects"), "pipelines[0].edges[0].from", "Did you mean detect?"),
    _bad("edge to nowhere", _put(*_EDGE, "to", "x"), "pipelines[0].edges[0].to", "no module"),
    _bad("edge without head", _drop(*_EDGE, "to"), "pipelines[0].edges[0].to", "missing"),
    _bad("self-loop", _edge("detect", "detect"), "pipelines[0].edges[1]", "itself"),
    _bad("edge twice", _edge("detect", "classify"), "pipelines[0].edges[1]", "twice"),
    _bad("cycle", _edge("classify", "detect"), "pipelines[0].edges", "detect -> classify -> detect"),
    _bad("fan-out of zero", _put(*_EDGE, "fanout", 0), "pipelines[0].edges[0].fanout", "above 0"),
    _bad("negative fan-out", _put(*_EDGE, "fanout", -2), "pipelines[0].edges[0].fanout", "above 0"),
    _bad("fan-out beyond measure", _huge_rates, "pipelines[0].modules.classify", "fan-outs"),
    _bad("negative transfer", _put(*_EDGE, "transfer_ms", -1), "pipelines[0].edges[0].transfer_ms", "at least 0"),
]
"""Faulty instance files."""

_MODULE = ("pipelines", 0, "modules", "detect")
_TUPLE = (*_MODULE, "tuples", 0)


def _bad_plan(label: str, edit: Callable[[dict[str, Any]], object], place: str, words: str) -> BadInput:
    return BadInput(label, edited(VALID_PLAN, edit), place, words, "plan.json")


BAD_PLANS = [
    BadInput("missing plan", None, "", "no such file", "plan.json"),
    BadInput("an instance instead of a plan", _TEXT.encode(), "format", "harpagon-plan/2", "plan.json"),
    _bad_plan("unknown dispatch", _put("dispatch", "lifo"), "dispatch", "'tc'"),
    _bad_plan("no cost", _drop("cost_per_hour"), "cost_per_hour", "missing"),
    _bad_plan("cost as text", _put("cost_per_hour", "5"), "cost_per_hour", "number"),
    _bad_plan(
        "unknown pipeline", _put("pipelines", 0, "name", "exampel"), "pipelines[0].name", "Did you mean example?"
    ),
    _bad_plan("pipeline twice", lambda d: d["pipelines"].append(d["pipelines"][0]), "pipelines[1].name", "second"),
    _bad_plan(
        "unknown module",
        _put("pipelines", 0, "modules", "x", VALID_PLAN["pipelines"][0]["modules"]["detect"]),
        "pipelines[0].modules.x",
        "no module",
    ),
    _bad_plan(
        "unknown hardware", _put(*_TUPLE, "hardware", "cpu"), "pipelines[0].modules.detect.tuples[0].hardware", "gpu"
    ),
    _bad_plan("unknown batch", _put(*_TUPLE, "batch", 16), "pipelines[0].modules.detect.tuples[0].batch", "2, 8, 32"),
    _bad_plan("no machines", _put(*_TUPLE, "machines", 0), "pipelines[0].modules.detect.tuples[0].machines", "above 0"),
    _bad_plan(
        "machines NaN",
        _put(*_TUPLE, "machines", float("nan")),
        "pipelines[0].modules.detect.tuples[0].machines",
        "finite",
    ),
    _bad_plan(
        "rate infinite", _put(*_MODULE, "rate_rps", float("inf")), "pipelines[0].modules.detect.rate_rps", "finite"
    ),
    _bad_plan("misspelt key", _put(*_TUPLE, "machine", 5), "pipelines[0].modules.detect.tuples[0].machine", "machines"),
]
"""Faulty plan files for the shipped worked example."""
