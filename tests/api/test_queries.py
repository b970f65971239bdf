"""The functions of ``import harpagon`` say what the commands say, and refuse what they refuse."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

import harpagon
from harpagon.cli import main

mpl.use("Agg")


@pytest.fixture(scope="module")
def traffic() -> harpagon.Instance:
    return harpagon.read_instance("traffic-198rps")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    instances = [harpagon.read_instance(name) for name in ("worked-example", "traffic-198rps")]
    return harpagon.compare(instances, ["clipper", "harpagon", "compact"], billing=["whole", "fractional"])


def test_compare_has_a_row_per_instance_billing_and_method_beside_both_optima(table: pd.DataFrame) -> None:
    assert len(table) == 2 * (6 + 6)
    assert table["method"].tolist()[:6] == ["exact", "exact", "exact", "clipper", "harpagon", "compact"]
    assert table["dispatch"].tolist()[:3] == ["tc", "free", "paced"]
    gaps = table["cost"] / table["optimum_tc"] - 1
    assert gaps.tolist() == pytest.approx(table["gap_tc"].tolist())
    optimum = table[(table["method"] == "exact") & (table["dispatch"] == "tc")]
    assert (optimum["gap_tc"] == 0).all()
    formulas = table[table["dispatch"] != "paced"]
    assert (formulas["cost"] >= formulas["optimum_free"] * (1 - 1e-6)).all()
    compact = table[table["method"] == "compact"]
    assert (compact["dispatch"] == "tc").all() and compact["gap_tc"].abs().max() < 1e-6


def test_compare_and_gap_say_the_same(table: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["gap", "--suite", "worked-example", "--suite", "traffic-198rps", "--methods"]
    assert main([*arguments, "clipper,harpagon,compact", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    written = pd.read_csv(tmp_path / "rows.csv")
    same = [name for name in table.columns if name not in ("build_s", "solve_s", "runs", "made", "reason")]
    pd.testing.assert_frame_equal(written[same], table[same], check_dtype=False)


def test_compare_resumes_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instances = [harpagon.read_instance("worked-example")]
    first = harpagon.compare(instances, ["clipper"], out=tmp_path)
    monkeypatch.setattr("harpagon.solvers.methods.METHODS", {**harpagon.METHODS})
    assert (tmp_path / "rows.jsonl").read_text().count("\n") == len(first) == 4
    pd.testing.assert_frame_equal(harpagon.compare(instances, ["clipper"], out=tmp_path), first)
    assert (tmp_path / "rows.jsonl").read_text().count("\n") == 4


def test_solve_says_what_plan_says(traffic: harpagon.Instance, capsys: pytest.CaptureFixture[str]) -> None:
    result = harpagon.solve(traffic, billing="fractional", dispatch="tc")
    assert main(["plan", "traffic-198rps", "--billing", "fractional", "--dispatch", "tc", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost_per_hour"] == result.objective


def test_a_result_prints_in_about_ten_lines_and_as_tables() -> None:
    for name in ("worked-example", "traffic-198rps"):
        result = harpagon.solve(harpagon.read_instance(name))
        text = str(result)
        assert text == result.summary() and text.startswith(f"${result.objective:.4f}/h, optimal: no plan costs less")
        assert 4 <= len(text.splitlines()) <= 11
        frame = result.to_frame()
        assert result.plan is not None
        assert frame["cost_per_hour"].sum() == pytest.approx(result.plan.cost)
        assert len(frame) == sum(len(m.tuples) for p in result.plan.pipelines for m in p.modules.values())
        assert "<table" in result._repr_html_() and "optimal" in result._repr_html_()


def test_a_result_without_a_plan_says_so(traffic: harpagon.Instance) -> None:
    impossible = harpagon.curve(traffic, low=1e-6, high=1e-5)
    assert impossible.steps == ()
    model = harpagon.Model("none")
    model.add_hardware("cpu", price_per_hour=1)
    model.add_profile("m", "cpu", {1: 100})
    pipeline = model.add_pipeline("p", rate_rps=1, slo_ms=150)
    model.add_edge(model.add_module(pipeline, "a", model="m"), model.add_module(pipeline, "b", model="m"))
    result = harpagon.solve(model.instance())
    assert str(result).splitlines()[0] == "no plan, proven: no plan exists"
    assert "no plan" in result._repr_html_()
    with pytest.raises(ValueError, match="there is no plan to show: exact proven: no plan exists"):
        result.to_frame()


def test_a_long_summary_is_cut_and_says_where_the_rest_is() -> None:
    model = harpagon.Model("long")
    model.add_hardware("cpu", price_per_hour=1)
    model.add_profile("m", "cpu", {1: 10})
    pipeline = model.add_pipeline("p", rate_rps=10, slo_ms=10_000)
    modules = [model.add_module(pipeline, f"m{i}", model="m") for i in range(12)]
    for tail, head in pairwise(modules):
        model.add_edge(tail, head)
    lines = str(harpagon.solve(model.instance())).splitlines()
    assert len(lines) == 11 and lines[-1] == "... and 6 lines more: to_frame() has all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"billing": "half"}, 'billing: there is no billing "half". Use whole, fractional'),
        ({"dispatch": "lifo"}, 'there is no dispatch "lifo"'),
        ({"method": "exakt"}, "Did you mean exact"),
        ({"time_limit": -1}, "time_limit: is -1"),
        ({"time_limit": float("nan")}, "time_limit: is NaN"),
        ({"gap": 1.0}, r"gap: is 1\.0"),
        ({"threads": 0}, "threads: is 0"),
        ({"seed": -1}, "seed: is -1"),
    ],
)
def test_bad_arguments_of_solve(traffic: harpagon.Instance, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(harpagon.InputError, match=message):
        harpagon.solve(traffic, **arguments)


def test_other_bad_arguments(traffic: harpagon.Instance, table: pd.DataFrame) -> None:
    plan = harpagon.solve(traffic).plan
    assert plan is not None
    report = harpagon.simulate(traffic, plan, duration=1)
    for call, message in (
        (lambda: harpagon.curve(traffic, low=2, high=1), "Give two factors with 0 < low < high"),
        (lambda: harpagon.curve(traffic, "price"), "Use slo or rate"),  # type: ignore[arg-type]
        (lambda: harpagon.headroom(traffic, 100), "percentile: is 100"),
        (lambda: harpagon.simulate(traffic, plan, duration=0), "duration: is 0"),
        (lambda: harpagon.simulate(traffic, plan, "rain"), "rain"),
        (lambda: harpagon.compare([traffic], workers=0), "workers: must be at least 1, found 0"),
        (lambda: harpagon.compare([traffic], ["exakt"]), "Did you mean exact"),
        (lambda: harpagon.read_instance("trafic-198rps"), "Did you mean traffic"),
        (lambda: harpagon.plot_gaps(table), "billing: is None. Choose one of the table: whole, fractional"),
        (lambda: harpagon.plot_gaps(table, over="edf", billing="whole"), "there are no gaps over edf. Use one of tc"),
        (lambda: harpagon.plot_simulation(report, pipeline="x"), 'there is no pipeline "x"'),
        (lambda: harpagon.plot_simulation(report, what="x"), "Use latency or tuples"),  # type: ignore[arg-type]
        (lambda: harpagon.assemble(traffic, {}), "schedules: traffic.detect: has no tuples"),
    ):
        with pytest.raises(harpagon.InputError, match=message):
            call()  # type: ignore[no-untyped-call]


def test_curve_explain_simulate_and_headroom_answer(traffic: harpagon.Instance) -> None:
    steps = harpagon.curve(traffic, high=1.1, dispatch="tc")
    assert steps.to_frame()["cost_per_hour"].is_monotonic_decreasing and steps.scale == 500
    explanation = harpagon.explain(traffic, dispatch="tc")
    assert explanation.feasible and explanation.worths
    result = harpagon.solve(traffic, dispatch="edf")
    assert result.plan is not None
    assert harpagon.simulate(traffic, result.plan, duration=5).duration == 5
    found = harpagon.headroom(traffic, 90, duration=5)
    assert found is not None and found.plan.cost >= result.plan.cost * (1 - 1e-9)


def test_assemble_rebuilds_a_plan_from_its_tuples(traffic: harpagon.Instance) -> None:
    plan = harpagon.solve(traffic, dispatch="tc").plan
    assert plan is not None
    schedules = {p.name: {name: module.tuples for name, module in p.modules.items()} for p in plan.pipelines}
    assert harpagon.assemble(traffic, schedules, plan.billing, plan.dispatch) == plan


def test_pictures_take_and_return_axes(traffic: harpagon.Instance, table: pd.DataFrame) -> None:
    import matplotlib.pyplot as plt

    plan = harpagon.solve(traffic).plan
    assert plan is not None
    report = harpagon.simulate(traffic, plan, duration=1)
    steps = harpagon.curve(traffic, high=1.0)
    pictures = (
        lambda ax: harpagon.plot_plan(traffic, plan, ax=ax),
        lambda ax: harpagon.plot_gaps(table, billing="whole", ax=ax),
        lambda ax: harpagon.plot_times(table, billing="whole", ax=ax),
        lambda ax: harpagon.plot_curve(steps, ax=ax),
        lambda ax: harpagon.plot_simulation(report, ax=ax),
        lambda ax: harpagon.plot_simulation(report, what="tuples", ax=ax),
    )
    for picture in pictures:
        axes = plt.figure().add_subplot()
        assert picture(axes) is axes
        assert axes.has_data() or axes.texts
        assert picture(None) is not axes
    plt.close("all")
