"""Every format on a file of its own: which rows are used, with which figure, and what a broken file is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.instances.errors import InputError
from harpagon.instances.measurements.fragment import profile_entry
from harpagon.instances.measurements.prices import Wanted, read_prices
from harpagon.instances.measurements.readers import READERS, read_measurements
from harpagon.instances.measurements.request import Request
from harpagon.instances.measurements.verdicts import CapacityPoint, PricePoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.instances.measurements.verdicts import RowVerdict

FILES = Path(__file__).parent / "files"

CASES = {
    "perf-analyzer": ("perf-analyzer.csv", Request("inception"), 4, {"1": 12.006}),
    "model-analyzer": ("model-analyzer.csv", Request("resnet50_libtorch"), 0, {}),
    "timm": ("timm.csv", Request("resnet18", workload="224"), 1, {"1024": 75.62}),
    "vllm": ("vllm.json", Request("llm"), 0, {}),
    "sglang": (
        "sglang.jsonl",
        Request("llm"),
        2,
        {"capacity": [{"rate_rps": 3.949, "latency_ms": 4312.5}, {"rate_rps": 7.506, "latency_ms": 7920.3}]},
    ),
    "aiperf": ("aiperf.json", Request("llm"), 1, {"capacity": [{"rate_rps": 5.12, "latency_ms": 4498.7}]}),
    "aiperf-cancelled": ("aiperf-cancelled.json", Request("llm"), 0, {}),
    "mlperf": (
        "mlperf.txt",
        Request("llama2-70b", instances=8),
        1,
        {"capacity": [{"rate_rps": 9.3025, "latency_ms": 144812.821227}]},
    ),
    "aibrix": (
        "aibrix.json",
        Request("llm", workload="128x512"),
        1,
        {"capacity": [{"rate_rps": 7.469959534415053, "latency_ms": 5000.0}]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_the_format_has_a_verdict_on_every_row(name: str) -> None:
    file, request, used, entry = CASES[name]
    verdicts = read_measurements(
        {"sglang": "vllm", "aiperf-cancelled": "aiperf"}.get(name, name), FILES / file, request
    )
    assert sum(verdict.used for verdict in verdicts) == used
    assert all(verdict.why and verdict.place for verdict in verdicts)
    assert profile_entry(verdicts) == entry


def test_requests_that_only_the_summary_lists_as_failed_are_counted() -> None:
    """84 of them, beside an ``error_request_count`` of null: 13.2 req/s are not what this machine carries."""
    (verdict,) = read_measurements("aiperf", FILES / "aiperf-cancelled.json", Request("llm"))
    assert not verdict.used and "84" in verdict.why


def test_plain_tables_hold_batches_or_capacities(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("model,batch,duration_ms,p99_ms\na,1,5,6\na,2,9,8\nb,1,7,\n")
    assert profile_entry(read_measurements("csv", table, Request("a"))) == {"1": 5.0}
    table.write_text("rate_rps,latency_ms\n4,900\n6,1400\n")
    assert len(profile_entry(read_measurements("csv", table, Request("a")))["capacity"]) == 2


def test_detailed_times_give_the_percentile_that_the_summary_lacks(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    document = {
        "completed": 100,
        "request_throughput": 1.0,
        "request_rate": 1.0,
        "ttfts": [0.1] * 100,
        "itls": [[0.4]] * 100,
    }
    file.write_text(json.dumps(document))
    assert profile_entry(read_measurements("vllm", file, Request("m"))) == {
        "capacity": [{"rate_rps": 1.0, "latency_ms": 500.0}]
    }


def test_melange_rates_need_a_latency_and_a_gpu() -> None:
    file = FILES / "melange.json"
    wanted = Request("m", workload="1x0", hardware="A10G")
    assert profile_entry(read_measurements("aibrix", file, wanted)) == {}
    entry = profile_entry(read_measurements("aibrix", file, replace(wanted, latency=0.12)))
    assert entry == {"capacity": [{"rate_rps": 5.0, "latency_ms": 120.0}]}
    with pytest.raises(InputError, match="--accelerator: A10G, A100-80GB"):
        read_measurements("aibrix", file, replace(wanted, hardware="H100"))


def test_a_mean_is_no_percentile(tmp_path: Path) -> None:
    """The matrix ``e2e`` of a GPU profile holds means; without an objective that 99 % kept, nobody knows the tail."""
    document = json.loads((FILES / "aibrix.json").read_text())
    file, wanted = tmp_path / "p.json", Request("llm", workload="128x512")
    for slos in ({"percentile": 90, "e2e": 5.0}, {"percentile": 0, "e2e": 5.0}, None):
        file.write_text(json.dumps({**document, "slos": slos}))
        assert profile_entry(read_measurements("aibrix", file, wanted)) == {}


def result(**more: object) -> dict[str, object]:
    return {"completed": 200, "duration": 50.0, "request_rate": 4.0, "p99_e2e_latency_ms": 900.0, **more}


def verdicts_on(folder: Path, *results: dict[str, object], workload: str | None = None) -> list[RowVerdict]:
    file = folder / "r.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in results))
    return read_measurements("vllm", file, Request("m", workload=workload))


def test_results_without_a_throughput_have_it_from_their_duration(tmp_path: Path) -> None:
    (verdict,) = verdicts_on(tmp_path, result())
    assert verdict.point == CapacityPoint(4.0, 0.9)


def test_results_of_unlike_data_are_no_loads_of_one_workload(tmp_path: Path) -> None:
    both = result(dataset_name="random"), result(dataset_name="sharegpt", p99_e2e_latency_ms=300.0)
    assert [verdict.used for verdict in verdicts_on(tmp_path, *both)] == [False, False]
    first, second = verdicts_on(tmp_path, *both, workload="sharegpt")
    assert not first.used and second.point == CapacityPoint(4.0, 0.3)
    with pytest.raises(InputError, match="Known here: random, sharegpt"):
        verdicts_on(tmp_path, *both, workload="sonnet")


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (result(completed=80, duration=20.0), "maximum"),
        (result(failed=3), "3 requests failed"),
        (result(duration=63.0), "too short"),
        ({"Test name": "llama_qps_2", "Tput (req/s)": 1.9, "Mean TTFT (ms)": 35.0}, "no percentile"),
    ],
)
def test_a_result_that_says_nothing_of_the_tail_is_refused(row: dict[str, object], word: str, tmp_path: Path) -> None:
    (verdict,) = verdicts_on(tmp_path, row)
    assert not verdict.used and word in verdict.why


@pytest.mark.parametrize("change", [lambda t: "\ufeff" + t, *(lambda t, s=s: t.replace(",", s) for s in ";\t")])
def test_a_table_is_read_whatever_parts_its_cells(change: Callable[[str], str], tmp_path: Path) -> None:
    text = (FILES / "perf-analyzer.csv").read_text()
    file = tmp_path / "t.csv"
    file.write_bytes(change(text).replace("\n", "\r\n").encode())
    assert profile_entry(read_measurements("perf-analyzer", file, Request("m"))) == {"1": 12.006}


def test_a_row_without_a_figure_is_refused_and_the_others_are_used(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("model,infer_step_time,infer_batch_size,infer_samples_per_sec\nm,,8,\nm,10,8,800\n")
    assert profile_entry(read_measurements("timm", file, Request("m"))) == {"8": 10.0}
    file.write_text("batch,duration_ms\n1,\n2,8\n")
    assert profile_entry(read_measurements("csv", file, Request("m"))) == {"2": 8.0}


def test_models_measured_together_have_no_duration_of_one(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    header = "Model,Batch,Concurrency,Model Config Path,Instance Group,Throughput (infer/sec),p99 Latency (ms)\n"
    both = '"a,b","1,1","4,4","a_0,b_0","2:GPU,1:GPU","400, [150,250]","20.7, [23.9,17.4]"\n'
    ensemble = 'e,1,4,"e_0: a_0, b_0","1:GPU,2:GPU",400,20\n'
    file.write_text(header + both + ensemble)
    for name in ("a,b", "e"):
        (verdict,) = read_measurements("model-analyzer", file, Request(name))
        assert not verdict.used and "several models" in verdict.why


FORMAT_OF = {"perf-analyzer.csv": "perf-analyzer", "timm.csv": "timm", "vllm.json": "vllm", "mlperf.txt": "mlperf"}
FORMAT_OF |= {"aiperf.json": "aiperf", "aibrix.json": "aibrix", "model-analyzer.csv": "model-analyzer"}
FORMAT_OF |= {"skypilot.csv": "prices", "gpuhunt.csv": "prices"}


@pytest.mark.parametrize("name", FORMAT_OF)
def test_a_file_of_another_format_is_known(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = "aiperf" if FORMAT_OF[name] != "aiperf" else "mlperf"
    assert main(["import", wrong, str(FILES / name), "--model", "m", "--hardware", "h"]) == ExitCode.USAGE
    assert f"`harpagon import {FORMAT_OF[name]}`" in capsys.readouterr().err


BROKEN = {
    "cell too many": ("perf-analyzer", "Concurrency,Inferences/Second,p99 latency\n1,2,3\n1,2,3,4\n", "line 3"),
    "no number": (
        "perf-analyzer",
        "Concurrency,Inferences/Second,p99 latency\n1,2,3\n1,many,3\n",
        "line 3, column Inferences/Second",
    ),
    "negative": (
        "perf-analyzer",
        "Concurrency,Inferences/Second,p99 latency\n1,-2,3\n",
        "line 2, column Inferences/Second",
    ),
    "another table": ("perf-analyzer", "a,b\n1,2\n", "line 1"),
    "a unit in a header": ("perf-analyzer", "Concurrency,Inferences/Second,p99 latency (us)\n1,2,3\n", "line 1"),
    "a unit in a cell": ("csv", "batch,duration_ms\n1,12 ms\n", "line 2, column duration_ms"),
    "a comma for a point": ("csv", "batch;duration_ms\n1;12,5\n", "line 2, column duration_ms"),
    "two columns of a name": ("csv", "batch,batch,duration_ms\n1,2,3\n", "line 1"),
    "an empty first line": ("csv", "\nbatch,duration_ms\n1,2\n", "line 1"),
    "header alone": ("timm", "model,infer_step_time,infer_batch_size,infer_samples_per_sec\n", "line 1"),
    "another model": (
        "timm",
        "model,infer_step_time,infer_batch_size,infer_samples_per_sec\nresnet18,1,1,1000\n",
        "column model",
    ),
    "no columns": ("csv", "size,ms\n1,2\n", "line 1"),
    "half a batch": ("csv", "batch,duration_ms\n1.5,2\n", "line 2, column batch"),
    "cut JSON": ("vllm", '{"completed": 3,\n "request', "line 2, column"),
    "broken line": ("vllm", '{"completed": 3}\n{"completed": }\n', "line 2, column 15"),
    "another JSON": ("vllm", '{"a": 1}', ""),
    "a list of numbers": ("vllm", "[1, 2]", "[0]"),
    "text for a number": ("aiperf", '{"request_throughput": {"avg": "fast"}}', "request_throughput.avg"),
    "a list for a unit": (
        "aiperf",
        '{"request_count": {"avg": 1}, "request_throughput": {"avg": 5}, "request_latency": {"unit": [], "p99": 3}}',
        "request_latency.unit",
    ),
    "unlike rows": ("aibrix", '{"tputs": [[1, 2], [3]]}', "tputs"),
    "another text": ("mlperf", "hello\n", ""),
    "empty": ("aiperf", " \n", ""),
}


@pytest.mark.parametrize("label", BROKEN)
def test_a_broken_file_is_told_where(label: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    form, text, place = BROKEN[label]
    file = tmp_path / "broken"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_measurements(form, file, Request("resnet50"))
    assert caught.value.place.startswith(place) and caught.value.next_step
    assert main(["import", form, str(file), "--model", "resnet50", "--hardware", "T4"]) == ExitCode.USAGE
    assert str(file) in capfd.readouterr().err


@pytest.mark.parametrize("form", READERS)
def test_a_file_of_another_format_is_no_traceback(form: str) -> None:
    for other in sorted(FILES.iterdir()):
        if other.suffix != ".md":
            code = main(["import", form, str(other), "--model", "none", "--hardware", "T4", "--json"])
            assert code in (ExitCode.DONE, ExitCode.USAGE)


def test_prices_of_both_layouts() -> None:
    offers = read_prices(FILES / "skypilot-regions.csv", Wanted("A100", region="us-central1"))
    assert [offer.point for offer in offers] == [PricePoint(3.67, 1), None]
    (node,) = read_prices(FILES / "skypilot-regions.csv", Wanted("H100"))
    assert node.point == PricePoint(88.49 / 8, 8)
    single, pair, spot = read_prices(FILES / "gpuhunt-spot.csv", Wanted("A10"))
    assert (single.point, pair.point, spot.point) == (PricePoint(0.5, 1), PricePoint(0.5, 2), None)
    assert read_prices(FILES / "gpuhunt-spot.csv", Wanted("A10", spot=True))[2].point == PricePoint(0.2, 1)
    with pytest.raises(InputError, match="H100"):
        read_prices(FILES / "skypilot-regions.csv", Wanted("H10"))


def test_prices_of_public_catalogues() -> None:
    (pod,) = read_prices(FILES / "skypilot.csv", Wanted("tpu-v3-128"))
    assert pod.point == PricePoint(128.0, 1)
    (spot,) = read_prices(FILES / "skypilot.csv", Wanted("tpu-v3-32", spot=True))
    assert spot.point == PricePoint(9.6, 1)
    (node,) = read_prices(FILES / "gpuhunt.csv", Wanted("H100"))
    assert node.point == PricePoint(2.99, 8)


def test_a_slice_of_an_accelerator_is_another_machine(tmp_path: Path) -> None:
    """The cheapest "A100" of this catalogue, at $0.123 an hour, is a twentieth of one."""
    assert not any(offer.used for offer in read_prices(FILES / "gpuhunt.csv", Wanted("A100")))
    whole = [offer.point for offer in read_prices(FILES / "gpuhunt.csv", Wanted("A100", memory=80.0))]
    assert whole == [None, PricePoint(2.397, 1), None]
    with pytest.raises(InputError, match="4 GB, 40 GB, 80 GB"):
        read_prices(FILES / "gpuhunt.csv", Wanted("A100", memory=60.0))
    file = tmp_path / "azure.csv"
    file.write_text("InstanceType,AcceleratorName,AcceleratorCount,Price,Region\nsixth,A10,0.167,0.454,eastus\n")
    (share,) = read_prices(file, Wanted("A10"))
    assert not share.used and "0.167" in share.why


def test_a_fragment_says_what_it_lacks_to_be_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, perf = str(tmp_path / "new.json"), str(FILES / "perf-analyzer.csv")
    to_a100 = ["--hardware", "A100", "--out", out]
    assert main(["import", "perf-analyzer", perf, "--model", "inception", *to_a100]) == ExitCode.DONE
    assert "it lacks format, name, hardware, pipelines, a price of A100" in capsys.readouterr().err
    assert main(["import", "prices", str(FILES / "skypilot-regions.csv"), *to_a100]) == ExitCode.DONE
    assert "it lacks format, name, pipelines: see" in capsys.readouterr().err


def test_a_fragment_grows_file_by_file_into_an_instance(tmp_path: Path) -> None:
    out = tmp_path / "instance.json"
    pipeline = {"name": "p", "rate_rps": 20, "slo_ms": 100, "modules": {"m": {"model": "inception"}}}
    out.write_text(json.dumps({"format": "harpagon-instance/1", "name": "grown", "pipelines": [pipeline]}))
    imported = ["--hardware", "A100", "--out", str(out)]
    perf = str(FILES / "perf-analyzer.csv")
    assert main(["import", "perf-analyzer", perf, "--model", "inception", *imported]) == ExitCode.DONE
    prices = str(FILES / "skypilot-regions.csv")
    assert main(["import", "prices", prices, "--date", "2026-05-31", *imported]) == ExitCode.DONE
    assert json.loads(out.read_text())["description"] == "Price of A100: skypilot-regions.csv, 2026-05-31."
    assert main(["plan", str(out)]) == ExitCode.DONE


def test_json_holds_every_verdict_and_the_fragment(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["import", "timm", str(FILES / "timm.csv"), "--model", "resnet18", "--hardware", "g", "--json"]
    assert main(arguments) == ExitCode.DONE
    document = json.loads(capsys.readouterr().out)
    assert [row["verdict"] for row in document["rows"]] == ["used"] * 3
    assert document["fragment"] == {"profiles": {"resnet18": {"g": {"1024": 123.927}}}}
