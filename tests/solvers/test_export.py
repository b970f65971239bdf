"""LP and MPS files: HiGHS reads them back to the same optimum."""

from __future__ import annotations

from pathlib import Path

import pytest

from harpagon.cli import main
from harpagon.instances.instance import Instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.methods import METHODS
from harpagon.solvers.models.export import write_model
from harpagon.solvers.result import Termination
from studies.agreement import Sample

LINEAR = [
    name
    for name, method in METHODS.items()
    if method.capabilities.linear and Billing.WHOLE in method.capabilities.billings
]


def optimum_of_file(path: Path) -> float:
    import highspy

    highs = highspy.Highs()
    highs.silent()
    highs.setOptionValue("mip_rel_gap", 0.0)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getInfo().objective_function_value)


@pytest.mark.parametrize("billing", APART)
@pytest.mark.parametrize("formulation", LINEAR)
@pytest.mark.parametrize("file_format", ["lp", "mps"])
def test_round_trip(tmp_path: Path, formulation: str, file_format: str, billing: Billing) -> None:
    for number in (8, 13):
        instance = Sample(0, 20, pipelines=2, limits=True).draw(number)
        path = tmp_path / f"{number}.{file_format}"
        write_model(instance, formulation, billing, Dispatch.TC, path, file_format)  # type: ignore[arg-type]
        expected = solve_brute_force(instance, billing, Dispatch.TC).objective
        assert optimum_of_file(path) == pytest.approx(expected)


def test_the_model_of_shared_machines_goes_round_too(tmp_path: Path) -> None:
    instance = Sample(0, 20, pipelines=2, limits=True, machines=1.5, modules=4).draw(3)
    write_model(instance, "assignment", Billing.SHARED, Dispatch.PACED, tmp_path / "m.lp", "lp")
    expected = METHODS["brute-force"].run(instance, Billing.SHARED, Dispatch.PACED).objective
    assert optimum_of_file(tmp_path / "m.lp") == pytest.approx(expected)


def test_threads_that_another_user_of_highs_left_behind_stop_no_relaxation(tmp_path: Path) -> None:
    """HiGHS refuses to run with other threads than its last run had: `exact` then lost its proof."""
    instance = Sample(0, 20, pipelines=2, machines=1.5, modules=4).draw(3)
    write_model(instance, "assignment", Billing.SHARED, Dispatch.PACED, tmp_path / "m.lp", "lp")
    expected = optimum_of_file(tmp_path / "m.lp")
    found = METHODS["exact"].run(instance, Billing.SHARED, Dispatch.PACED)
    assert (found.termination, found.objective) == (Termination.OPTIMAL, pytest.approx(expected))


def test_a_nonlinear_model_is_refused_by_name(tmp_path: Path, worked_example: Instance) -> None:
    with pytest.raises(UnsupportedError, match=r"cp-sat .* LP or MPS.*use pattern, compact, levels, .* or 1 more"):
        write_model(worked_example, "cp-sat", Billing.WHOLE, Dispatch.TC, tmp_path / "m.lp", "lp")


def test_an_instance_without_a_plan_is_refused(tmp_path: Path, worked_example: Instance) -> None:
    from dataclasses import replace

    hopeless = replace(worked_example, pipelines=(replace(worked_example.pipelines[0], slo=0.1),))
    with pytest.raises(UnsupportedError, match="an instance without any plan"):
        write_model(hopeless, "compact", Billing.WHOLE, Dispatch.TC, tmp_path / "m.lp", "lp")


@pytest.mark.parametrize("file_format", ["lp", "mps"])
def test_the_command_writes_a_file_whose_optimum_is_the_plans(
    file_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import highspy

    path = tmp_path / f"model.{file_format}"
    arguments = ["export", "worked-example", "--format", file_format, "--billing", "whole", "--out", str(path)]
    assert main(arguments) == 0
    assert str(path) in capsys.readouterr().err
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(path))
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(5.0)


def test_the_command_refuses_what_has_no_linear_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "model.lp")]
    assert main(["export", "worked-example", "--format", "lp", "--formulation", "cp-sat", *out]) == 2
    assert "compact" in capsys.readouterr().err
    assert main(["export", "worked-example", "--format", "xls", *out]) == 2
