"""Plans served over real sockets, on virtual time, where no other work is felt: bound, simulated, measured."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx_case import relu_model
from virtual_time import VirtualLoop

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.instances.files.instances import read_instance
from harpagon.instances.policies import Dispatch
from harpagon.simulation import serving, simulate
from harpagon.simulation.arrivals.processes import TraceArrivals
from harpagon.simulation.serving import ServingReport, Verdict, serve_plan
from harpagon.simulation.serving.http import HttpClient, HttpServer
from harpagon.simulation.serving.pipelines import RootCounts
from harpagon.simulation.serving.report import ServedModule, ServedPipeline
from harpagon.solvers.methods import solve

if TYPE_CHECKING:
    from harpagon.instances.plan import Plan

BOOK = Path(__file__).parents[3] / "docs" / "cookbook"
INSTANCE = read_instance(BOOK / "fork-join.yaml")
"""Six modules, a fork and a join, two hardware types."""
LATE_TICK = 3e-3
"""Seconds between two looks of the server for what is due, and some rounding."""


def plan_for(dispatch: Dispatch) -> Plan:
    plan = solve(INSTANCE, "exact", None, dispatch).plan
    assert plan is not None
    return plan


def served(plan: Plan, seconds: float = 3.0, **more: object) -> ServingReport:
    return serve_plan(INSTANCE, plan, duration=seconds, loop=VirtualLoop, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A plan of edf in which a module has two tuples, of two hardware types."""
    found = plan_for(Dispatch.EDF)
    tuples = [module.tuples for module in found.pipelines[0].modules.values()]
    assert any(len({part.configuration.hardware for part in module}) == 2 for module in tuples)
    return found


@pytest.mark.parametrize("dispatch", [Dispatch.EDF, Dispatch.PACED])
def test_a_plan_is_kept_and_measured_as_simulated(dispatch: Dispatch) -> None:
    report = served(plan_for(dispatch), share=0.9)
    (pipeline,) = report.pipelines
    assert report.verdict is Verdict.KEPT
    assert (pipeline.requests, pipeline.late, pipeline.unanswered) == (63, 0, 0)
    for module in pipeline.modules:
        assert 0.9 * module.simulated - LATE_TICK <= module.measured <= module.bound, module.name
        assert module.share == pytest.approx(0.9, abs=1e-3)
    assert 0.9 * pipeline.simulated <= pipeline.measured <= pipeline.bound


def test_one_machine_fewer_misses(plan: Plan) -> None:
    report = served(plan, share=0.9, losses={"crop": 1})
    assert report.verdict is Verdict.MISSED
    assert report.pipelines[0].late > report.pipelines[0].requests / 4


def test_machines_slower_than_their_profile_are_no_fault_of_the_plan(plan: Plan) -> None:
    assert served(plan, share=1.3).verdict is Verdict.SLOW_MACHINE


@pytest.mark.parametrize("dispatch", list(Dispatch))
def test_other_policies_are_served_by_their_dispatchers(dispatch: Dispatch) -> None:
    report = served(plan_for(dispatch), 2.0)
    (pipeline,) = report.pipelines
    assert pipeline.requests == 42 and pipeline.unanswered == 0
    assert all(module.requests for module in pipeline.modules)


@pytest.mark.parametrize("dispatch", [Dispatch.EDF, Dispatch.PACED])
def test_batches_are_as_large_as_in_the_simulation(dispatch: Dispatch) -> None:
    found = plan_for(dispatch)
    live = served(found).pipelines[0].modules
    told = simulate(INSTANCE, found, TraceArrivals("even", np.arange(63) / 21), duration=20.0).pipelines[0].modules
    assert [module.batches for module in live] == [sum(part.batches for part in module.tuples) for module in told]
    assert [module.requests for module in live] == [module.finished for module in told]
    assert min(module.batches / module.requests for module in live) < 0.6


def test_roots_bring_what_fan_outs_say() -> None:
    counts = RootCounts(INSTANCE.pipelines[0])
    roots = [counts.following() for _ in range(4)]
    assert [root["face"] for root in roots] == [2, 1, 2, 1]
    assert [root["pose"] for root in roots] == [1, 1, 1, 1]
    assert sum(root["caption"] for root in roots) == 3


def test_a_run_in_real_time_never_blames_the_plan(plan: Plan) -> None:
    """On a loaded machine the verdict may be that it is slow; without a fault of the plan it is never that."""
    report = serve_plan(INSTANCE, plan, duration=1.0, share=0.5)
    assert report.verdict is not Verdict.MISSED
    assert report.pipelines[0].requests + report.pipelines[0].unanswered == 21


def _report(late: int, measured: float, share: float, lag: float, unanswered: int = 0) -> ServingReport:
    module = ServedModule("m", 1.0, 1.0, measured, 10, 10, share)
    pipeline = ServedPipeline("p", 2.0, 1.0, 1.0, measured, {0.5: measured}, 10, late, unanswered, (module,))
    return ServingReport("i", 10.0, 0.9, lag, (pipeline,))


@pytest.mark.parametrize(
    ("report", "verdict", "code"),
    [
        (_report(0, 0.9, 0.95, 0.5), Verdict.KEPT, ExitCode.DONE),
        (_report(0, 0.9, 1.5, 0.5), Verdict.KEPT, ExitCode.DONE),
        (_report(1, 1.2, 0.95, 0.06), Verdict.MISSED, ExitCode.CHECK_FAILED),
        (_report(1, 1.2, 0.95, 0.07), Verdict.SLOW_MACHINE, ExitCode.MACHINE_FAILED),
        (_report(1, 1.2, 1.01, 0.0), Verdict.SLOW_MACHINE, ExitCode.MACHINE_FAILED),
        (_report(0, 0.9, 0.95, 0.5, unanswered=1), Verdict.MISSED, ExitCode.CHECK_FAILED),
    ],
)
def test_verdicts_and_their_exit_codes(
    report: ServingReport,
    verdict: Verdict,
    code: ExitCode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report.verdict is verdict
    monkeypatch.setattr(serving, "serve_plan", lambda *_, **__: report)
    plan = tmp_path / "plan.json"
    assert main(["plan", "worked-example", "--billing", "whole", "--out", str(plan)]) == ExitCode.DONE
    capsys.readouterr()
    assert main(["run", "worked-example", str(plan), "--json"]) == code
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict.value
    assert main(["run", "worked-example", str(plan)]) == code
    assert verdict.value in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "word"),
    [(["--duration", "0"], "--duration"), (["--share", "2"], "--share"), (["--lose", "nothing:1"], "nothing")],
)
def test_bad_usage(options: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.json"
    assert main(["plan", "worked-example", "--billing", "whole", "--out", str(plan)]) == ExitCode.DONE
    assert main(["run", "worked-example", str(plan), *options]) == ExitCode.USAGE
    assert word in capsys.readouterr().err


def test_a_plan_that_fails_the_check_is_not_served(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert main(["plan", "traffic-198rps", "--out", str(plan)]) == ExitCode.DONE
    plan.write_text(plan.read_text().replace('"machines": 5', '"machines": 4'))
    assert main(["run", "traffic-198rps", str(plan)]) == ExitCode.CHECK_FAILED


def test_the_server_answers_on_loopback_only_and_refuses_what_it_does_not_know() -> None:
    async def echo(document: object) -> object:
        return document

    async def broken(document: object) -> object:
        raise ValueError("no")

    async def talk() -> None:
        async with HttpServer({"/echo": echo, "/broken": broken}) as server:
            assert server._server is not None
            assert {item.getsockname()[0] for item in server._server.sockets} == {"127.0.0.1"}
            client = HttpClient(server.port)
            assert await client.post("/echo", {"a": [1]}) == {"a": [1]}
            for path in ("/nowhere", "/broken"):
                with pytest.raises(ConnectionError, match=path):
                    await client.post(path, {})
            assert await asyncio.gather(*(client.post("/echo", number) for number in range(20))) == list(range(20))
            client.close()

    asyncio.run(talk())


def test_a_report_without_answers_is_a_miss() -> None:
    report = _report(0, 0.0, 0.0, 0.0, unanswered=10)
    empty = replace(report.pipelines[0], quantiles={}, requests=0)
    assert replace(report, pipelines=(empty,)).verdict is Verdict.MISSED


def test_the_dashboard_sees_the_run_so_far(plan: Plan) -> None:
    seen: list[tuple[float, int]] = []

    def progress(seconds: float, report: ServingReport) -> None:
        seen.append((seconds, report.pipelines[0].requests))

    assert served(plan, progress=progress).pipelines[0].requests == 63
    assert seen == sorted(seen) and len(seen) > 5
    assert 0 < seen[len(seen) // 2][1] < 63


def _onnx_plan(tmp_path: Path) -> list[str]:
    instance, plan = tmp_path / "relu.json", tmp_path / "plan.json"
    document = {
        "format": "harpagon-instance/1",
        "name": "relu",
        "hardware": {"cpu-1": {"price_per_hour": 1}, "T4": {"price_per_hour": 1}},
        "profiles": {"relu": {"cpu-1": {"2": 900}}, "gpu": {"T4": {"1": 300}}},
        "pipelines": [
            {"name": name, "rate_rps": 4, "slo_ms": 4000, "modules": {"m": {"model": name}}} for name in ("relu", "gpu")
        ],
    }
    instance.write_text(json.dumps(document))
    assert main(["plan", str(instance), "--billing", "whole", "--out", str(plan)]) == ExitCode.DONE
    (tmp_path / "relu.onnx").write_bytes(relu_model())
    return ["run", str(instance), str(plan), "--duration", "1"]


def test_machines_run_onnx_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    run, figure = _onnx_plan(tmp_path), tmp_path / "run.svg"
    capsys.readouterr()
    onnx = ["--onnx", f"relu={tmp_path / 'relu.onnx'}", "--shape", "relu=8", "--figure", str(figure)]
    assert main([*run, *onnx, "--json"]) in (ExitCode.DONE, ExitCode.MACHINE_FAILED)
    relu, gpu = json.loads(capsys.readouterr().out)["pipelines"]
    assert relu["modules"]["m"]["requests"] == 4
    assert relu["modules"]["m"]["largest_share"] < gpu["modules"]["m"]["largest_share"], "the others sleep"
    assert figure.stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--onnx", "relu"], "MODEL=FILE"),
        (["--onnx", "nothing={}"], "the models are relu, gpu"),
        (["--shape", "relu=8"], "--shape"),
        (["--onnx", "gpu={}"], "is planned on T4"),
        (["--onnx", "relu={}"], "open dimensions"),
        (["--figure", "run.txt"], "no kind of figure"),
    ],
)
def test_bad_usage_of_onnx_models(
    options: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    run = _onnx_plan(tmp_path)
    options = [option.format(tmp_path / "relu.onnx") for option in options]
    assert main([*run, *options]) == ExitCode.USAGE
    assert word in " ".join(capsys.readouterr().err.split())
