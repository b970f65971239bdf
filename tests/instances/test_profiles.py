"""Optional keys of instance files: bundles, bursts, memory, quantiles and capacity profiles, in and out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from bad_inputs import VALID

from harpagon.instances.errors import InputError
from harpagon.instances.files.instances import from_document, instance_document


def every_key() -> dict[str, Any]:
    """`VALID` with every optional key of hardware, profiles and pipelines."""
    document = copy.deepcopy(VALID)
    document["hardware"]["V100"].update(bundle=8, memory_gb=32.0)
    document["profiles"]["ssd320"]["V100"].update({"16": {"mean_ms": 240.0, "p50_ms": 238.0, "p99_ms": 251.5}})
    document["profiles"]["ssd320"]["V100"]["memory_gb"] = 2.5
    document["profiles"]["llm"] = {"V100": {"capacity": [{"rate_rps": 4.0, "latency_ms": 900.0}], "memory_gb": 14.0}}
    document["pipelines"][0]["burst"] = 3
    return document


def test_every_key_survives_a_file() -> None:
    document = every_key()
    instance = from_document(document, "code")
    written = instance_document(instance)
    assert {key: written[key] for key in ("hardware", "profiles")} == {
        key: document[key] for key in ("hardware", "profiles")
    }
    assert instance_document(from_document(written, "code")) == written
    assert (instance.hardware["V100"].bundle, instance.hardware["V100"].memory_gb) == (8, 32)
    assert instance.pipelines[0].burst == 3
    measured = next(c for c in instance.profiles["ssd320"] if c.batch == 16)
    assert (measured.mean, measured.duration, measured.memory_gb) == (0.24, 0.2515, 2.5)
    assert measured.quantiles == ((0.5, 0.238), (0.99, 0.2515))
    (point,) = instance.profiles["llm"]
    assert (point.is_capacity, point.throughput, point.duration, point.memory_gb) == (True, 4.0, 0.9, 14.0)


def test_without_them_nothing_is_written() -> None:
    instance = from_document(VALID, "code")
    assert set(instance_document(instance)["hardware"]["V100"]) == {"price_per_hour", "limit"}
    assert "burst" not in instance_document(instance)["pipelines"][0]
    assert (instance.hardware["T4"].bundle, instance.hardware["T4"].memory_gb, instance.pipelines[0].burst) == (
        1,
        None,
        1,
    )


V100 = ("profiles", "ssd320", "V100")


@pytest.mark.parametrize(
    ("way", "value", "place", "words"),
    [
        (("hardware", "V100", "bundle"), 0, "hardware.V100.bundle", "at least 1"),
        (("hardware", "V100", "memory_gb"), 0, "hardware.V100.memory_gb", "above 0"),
        (("hardware", "V100", "memory"), 3, "hardware.V100.memory", "Did you mean memory_gb"),
        (("pipelines", 0, "burst"), 1.5, "pipelines[0].burst", "whole number"),
        (("pipelines", 0, "bursts"), 2, "pipelines[0].bursts", "Did you mean burst"),
        ((*V100, "memory_gb"), "2", "profiles.ssd320.V100.memory_gb", "number"),
        ((*V100, "memory"), 2, "profiles.ssd320.V100.memory", "Did you mean memory_gb"),
        ((*V100, "8"), {"p99_ms": 3}, "profiles.ssd320.V100.8.mean_ms", "is missing"),
        ((*V100, "8"), {"mean_ms": 3, "p98_ms": 3}, "profiles.ssd320.V100.8.p98_ms", "Did you mean p99_ms"),
        ((*V100, "8"), {"mean_ms": "3"}, "profiles.ssd320.V100.8.mean_ms", "number"),
        ((*V100, "8"), {"mean_ms": 3, "p50_ms": 4, "p90_ms": 2}, "profiles.ssd320.V100.8.p90_ms", "below p50_ms"),
        ((*V100, "8"), [3], "profiles.ssd320.V100.8", "number"),
        ((*V100, "capacity"), [{"rate_rps": 1, "latency_ms": 9}], "profiles.ssd320.V100", "beside a capacity profile"),
        (V100, {"capacity": []}, "profiles.ssd320.V100.capacity", "empty"),
        (V100, {"capacity": [{"rate_rps": 1}]}, "profiles.ssd320.V100.capacity[0].latency_ms", "missing"),
        (V100, {"capacity": [{"rate": 1, "latency_ms": 9}]}, "profiles.ssd320.V100.capacity[0].rate", "rate_rps"),
        (V100, {"capacity": [{"rate_rps": 1, "latency_ms": 9}] * 2}, "profiles.ssd320.V100.capacity[1]", "twice"),
        (V100, {"memory_gb": 2}, "profiles.ssd320.V100", "empty"),
    ],
)
def test_their_faults_are_named(way: tuple[Any, ...], value: Any, place: str, words: str) -> None:
    document = copy.deepcopy(VALID)
    holder: Any = document
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = value
    with pytest.raises(InputError) as caught:
        from_document(document, "code")
    assert caught.value.place.startswith(place)
    assert words in str(caught.value)
