"""``harpagon profile``: measured points, what they are written to, and messages."""

from __future__ import annotations

import json

import pytest
from onnx_case import relu_model

from harpagon.cli import main
from harpagon.instances.cpu import measure
from harpagon.instances.cpu.device import device_fragment
from harpagon.instances.cpu.measure import MeasuredPoint, measured_profile, write_measured_points
from harpagon.instances.cpu.noise import noise_warnings
from harpagon.instances.cpu.profile import read_core_profile
from harpagon.instances.files.instances import read_instance

POINTS = [
    MeasuredPoint(1, 1, (0.004, 0.001, 0.003, 0.002)),
    MeasuredPoint(2, 1, (0.002, 0.002, 0.002, 0.010)),
]


def test_a_quantile_is_a_measured_duration_that_enough_batches_kept():
    assert [POINTS[0].quantile(share) for share in (0.0, 0.25, 0.5, 0.51, 1.0)] == [0.001, 0.001, 0.002, 0.003, 0.004]


def test_the_written_table_is_the_profile(tmp_path):
    path = tmp_path / "model.csv"
    write_measured_points(path, POINTS, 0.75)
    assert read_core_profile(path).durations == pytest.approx(measured_profile("model", POINTS, 0.75).durations)
    assert "p50_ms,p90_ms,p99_ms" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cores", "0"], "--cores"),
        (["--batches", "1,x"], "--batches"),
        (["--shape", "x=3,a"], "--shape"),
        (["--after", "detect"], "--after"),
        (["--slo", "-1"], "--slo"),
        (["--fanout", "inf"], "--fanout"),
        (["--repeats", "0"], "--repeats"),
        (["--quantile", "nan"], "--quantile"),
        (["--after", "detect", "--out", "nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_flags_are_exit_code_two(capsys, arguments, message):
    assert main(["profile", "model.onnx", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_more_cores_than_the_machine_has_are_refused(capsys):
    assert main(["profile", "model.onnx", "--cores", "4096"]) == 2
    assert "4096 cores asked for" in capsys.readouterr().err


def test_without_onnx_runtime_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    assert main(["profile", "model.onnx", "--cores", "1"]) == 2
    assert "harpagon[profile]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "quantile", "words"),
    [
        ((0.010,) * 20, 0.9, []),
        ((0.010,) * 20, 0.99, ["--repeats 100"]),
        ((0.010,) * 17 + (0.02,) * 3, 0.9, ["2 times"]),
        ((0.010,) * 10 + (0.0115,) * 10, 0.9, ["drift"]),
    ],
)
def test_noise_is_told(seconds, quantile, words):
    found = noise_warnings([MeasuredPoint(1, 1, seconds)], quantile)
    assert len(found) == len(words)
    assert all(word in warning for word, warning in zip(words, found, strict=True))


def test_a_larger_batch_that_is_quicker_is_noise():
    pair = [MeasuredPoint(1, 4, (0.01,) * 20), MeasuredPoint(1, 1, (0.02,) * 20)]
    assert noise_warnings(pair, 0.9) == ["noise: 1 core, batch 4 took less time than batch 1"]
    apart = [MeasuredPoint(2, 4, (0.01,) * 20), pair[1]]
    assert noise_warnings(apart, 0.9) == []


def test_quantiles_up_to_the_one_that_plans_count_with_are_stated():
    profile = measured_profile("model", [MeasuredPoint(1, 1, tuple(n / 1e3 for n in range(1, 101)))], 0.9)
    mean, quantiles = profile.spread[1, 1]
    assert mean == pytest.approx(0.0505)
    assert quantiles == ((0.5, 0.050), (0.9, 0.090))
    assert profile.durations[1, 1] == 0.090
    assert measured_profile("model", POINTS, 0.8).spread == {}
    fragment = device_fragment(profile, "T4", 2)
    assert fragment["hardware"] == {"T4": {"limit": 2}}
    assert fragment["profiles"]["model"]["T4"] == {"1": {"mean_ms": 50.5, "p50_ms": 50, "p90_ms": 90}}


def test_a_device_needs_the_name_of_its_hardware(capsys):
    assert main(["profile", "model.onnx", "--provider", "cuda"]) == 2
    assert "--hardware" in capsys.readouterr().err


class TestWithOnnxRuntime:
    @pytest.fixture(autouse=True)
    def _needs_onnx_runtime(self):
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'harpagon[profile]'")

    @pytest.fixture
    def model(self, tmp_path):
        path = tmp_path / "relu.onnx"
        path.write_bytes(relu_model())
        return path

    def test_a_model_is_measured_and_planned(self, model, tmp_path, capsys):
        out, table = tmp_path / "chain.json", tmp_path / "relu.csv"
        command = ["profile", str(model), "--cores", "1", "--batches", "1,4", "--repeats", "3", "--json"]
        assert main([*command, "--shape", "8", "--out", str(out), "--table", str(table)]) == 0
        document = json.loads(capsys.readouterr().out)
        assert [(point["cores"], point["batch"]) for point in document["points"]] == [(1, 1), (1, 4)]
        assert all(0 < point["p50_ms"] <= point["p99_ms"] for point in document["points"])
        second = [*command, "--shape", "x=8", "--out", str(out), "--after", "relu", "--fanout", "2", "--name", "next"]
        assert main(second) == 0
        assert main(["plan", str(out)]) == 0
        assert main(["sponge", "--profile", str(table), "--durations", "table"]) == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "has open dimensions N"),
            (["--shape", "8,8"], "does not fit"),
            (["--shape", "y=8"], "the inputs of"),
        ],
    )
    def test_shapes_must_fit_the_model(self, model, capsys, arguments, message):
        assert main(["profile", str(model), "--cores", "1", *arguments]) == 2
        assert message in capsys.readouterr().err

    def test_a_file_that_is_no_model_is_refused(self, tmp_path, capsys):
        path = tmp_path / "text.onnx"
        path.write_text("no model")
        assert main(["profile", str(path), "--cores", "1"]) == 2
        assert "no model ONNX Runtime can load" in capsys.readouterr().err

    def test_what_is_written_has_quantiles_overhead_and_limits(self, model, tmp_path, capsys):
        out = tmp_path / "relu.json"
        command = ["profile", str(model), "--cores", "1", "--batches", "1", "--repeats", "3", "--shape", "8"]
        assert main([*command, "--overhead", "50", "--limit", "--quantile", "0.99", "--out", str(out)]) == 0
        assert "--repeats 100" in capsys.readouterr().err
        instance = read_instance(out)
        assert instance.hardware["cpu-1"].limit == measure.available_cores()
        (point,) = instance.profiles["relu"]
        assert [share for share, _ in point.quantiles] == [0.5, 0.9, 0.95, 0.99]
        assert 0.05 < point.mean <= point.duration == point.quantiles[-1][1]

    def test_a_device_that_is_not_there_is_refused(self, model, capsys):
        assert main(["profile", str(model), "--provider", "warp", "--hardware", "X"]) == 2
        assert "warp" in capsys.readouterr().err

    def test_a_device_that_falls_back_to_the_cpu_is_refused(self, model, monkeypatch, capsys):
        monkeypatch.setattr(measure, "execution_provider", lambda _: "CUDAExecutionProvider")
        assert main(["profile", str(model), "--provider", "cuda", "--hardware", "X", "--shape", "8"]) == 2
        assert "fell back to CPUExecutionProvider" in capsys.readouterr().err

    def test_a_device_gets_a_profile_of_its_own(self, model, monkeypatch, tmp_path):
        monkeypatch.setattr(measure, "execution_provider", lambda _: measure.CPU)
        out = tmp_path / "device.json"
        command = ["profile", str(model), "--provider", "cuda", "--hardware", "T4", "--shape", "8", "--repeats", "3"]
        assert main([*command, "--batches", "1,2", "--out", str(out)]) == 0
        assert set(json.loads(out.read_text())["profiles"]["relu"]["T4"]) == {"1", "2"}
