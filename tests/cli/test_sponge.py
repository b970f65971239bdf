"""``harpagon sponge``: answers, exit codes, messages."""

from __future__ import annotations

import json

import pytest

from harpagon.cli import main
from harpagon.formulations.sponge.core_latency import SPONGE_REFIT
from harpagon.instances.cpu.instance import single_module_instance
from harpagon.instances.files.instances import write_instance


def test_the_published_case(capsys):
    assert main(["sponge", "--durations", "fit", "--max-batch", "10", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["cores"], answer["batch"], answer["status"]) == (5, 10, "optimal")
    assert answer["last_done_ms"] <= answer["remaining_ms"] == 950.0


def test_the_published_code_takes_more(capsys):
    assert main(["sponge", "--durations", "fit", "--variant", "published-code"]) == 0
    assert "6 cores, batch 10" in capsys.readouterr().out


def test_the_table_is_planned_on_its_own_points(capsys):
    assert main(["sponge", "--durations", "table", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cores"] in (1, 2, 4, 8, 16)


def test_the_measured_points_are_planned_with_where_the_fit_is_off(tmp_path, capsys):
    def answer(*flags):
        assert main(["sponge", *flags, "--json"]) == 0
        captured = capsys.readouterr()
        return json.loads(captured.out), captured.err

    published, words = answer()
    assert published == answer("--durations", "table")[0]
    assert published != answer("--durations", "fit")[0]
    assert "the fit is off by 12." in words
    exact = tmp_path / "exact.json"
    write_instance(exact, single_module_instance(SPONGE_REFIT.profile("exact", (1, 4), (1, 2, 8)), 5.0, 1.0))
    flags = ["--profile", str(exact), "--rate", "30"]
    fitted, words = answer(*flags)
    assert fitted == answer(*flags, "--durations", "fit")[0]
    assert "off by" not in words


def test_infeasible_is_exit_code_one(capsys):
    assert main(["sponge", "--communication", "990", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == "infeasible"


def test_a_trace_is_served_by_every_scaler_and_drawn(tmp_path, capsys):
    trace, figure = tmp_path / "link.csv", tmp_path / "run.png"
    trace.write_text("time_s,bytes_per_second\n0,3e6\n5,1e6\n")
    command = ["sponge", "--trace", str(trace), "--duration", "10", "--rate", "20", "--json", "--figure", str(figure)]
    assert main(command) == 0
    runs = json.loads(capsys.readouterr().out)
    assert set(runs) == {"sponge", "sponge-code", "fa2", "fa2-blind", "fa2-informed", "vpa", "static-8", "static-16"}
    assert all(run["requests"] == 200 for run in runs.values())
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_an_instance_file_is_a_profile(tmp_path, capsys):
    path = tmp_path / "one.json"
    profile = SPONGE_REFIT.profile("detect", (1, 2), (1, 2, 4))
    write_instance(path, single_module_instance(profile, 5.0, 1.0))
    assert main(["sponge", "--profile", str(path), "--rate", "5", "--durations", "table", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "detect"
    assert main(["plan", str(path)]) == 0


def test_a_pipeline_is_served_in_place_and_fixed(capsys):
    command = ["sponge", "--trace", "synthetic", "--duration", "20", "--pipeline", "ocr-2cores", "--json"]
    assert main(command) == 0
    runs = json.loads(capsys.readouterr().out)
    assert runs["in place"]["requests"] == 200
    assert 0 < runs["in place"]["core_seconds"] <= 20 * 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trace", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["--trace", "synthetic", "--scalers", "sponge,best"], "best: is no scaler"),
        (["--trace", "synthetic", "--rate", "-1"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--trace", "synthetic", "--rate", "10000", "--duration", "100000"], "5,000,000"),
        (["--pipeline", "ocr-2cores"], "--pipeline"),
        (["--trace", "synthetic", "--pipeline", "worked-example"], "cpu-1"),
        (["--trace", "synthetic", "--pipeline", "nowhere.json"], "nowhere.json"),
        (["--communication", "-1"], "--communication"),
        (["--figure", "a.png"], "--figure"),
        (["--trace", "synthetic", "--figure", "a.txt"], "--figure"),
        (["--profile", "nowhere.csv"], "nowhere.csv"),
        (["--profile", "nowhere.json"], "nowhere.json"),
        (["--variant", "mine"], "mine"),
        (["--method", "pyomo"], "the enumeration decides"),
        (["--max-cores", "0"], "--max-cores"),
    ],
)
def test_bad_input_is_exit_code_two(capsys, arguments, message):
    assert main(["sponge", *arguments]) == 2
    written = capsys.readouterr()
    assert message in written.err
    assert written.out == ""


def test_a_faulty_line_is_named(tmp_path, capsys):
    path = tmp_path / "link.csv"
    path.write_text("time_s,bytes_per_second\n0,1e6\n1,fast\n")
    assert main(["sponge", "--trace", str(path)]) == 2
    assert f'{path}: line 3: bytes_per_second is "fast"' in capsys.readouterr().err


def test_two_models_need_a_name(tmp_path, capsys, worked_example):
    path = tmp_path / "other.json"
    write_instance(path, worked_example)
    assert main(["sponge", "--profile", str(path)]) == 2
    assert "cpu-1" in capsys.readouterr().err
    assert main(["sponge", "--profile", str(path), "--model", "detect"]) == 2
    assert "detect" in capsys.readouterr().err
