"""``harpagon profile``: measured points, what they are written to, and messages."""

from __future__ import annotations

import json

import pytest

from harpagon.cli import main
from harpagon.instances.cpu.measure import MeasuredPoint, measured_profile, write_measured_points
from harpagon.instances.cpu.profile import read_core_profile

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
        (["--table", "no/such/folder/a.csv"], "no/such/folder"),
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


class TestWithOnnxRuntime:
    """A model of one matrix product, built byte by byte, so that no model file and no ``onnx`` package is needed."""

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


def relu_model() -> bytes:
    """y = Relu(x) for x of shape (batch, width), both open, in the wire format of ONNX."""

    def field(number: int, payload: bytes) -> bytes:
        return bytes([number << 3 | 2, len(payload)]) + payload

    def integer(number: int, value: int) -> bytes:
        return bytes([number << 3, value])

    def tensor(name: bytes) -> bytes:
        dimensions = b"".join(field(1, field(2, dimension)) for dimension in (b"batch", b"width"))
        return field(1, name) + field(2, field(1, integer(1, 1) + field(2, dimensions)))

    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"g") + field(11, tensor(b"x")) + field(12, tensor(b"y"))
    return integer(1, 8) + field(7, graph) + field(8, integer(2, 13))
