"""Methods registered from outside: run, refereed, carried to workers, and refused in one clear message."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.evaluation.sweep.rows import Task, keyed_tasks
from harpagon.instances.errors import InputError
from harpagon.instances.instance import Instance
from harpagon.instances.plan import Plan
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers import methods
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.errors import CheckFailedError, MethodFailedError
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS, find_method, solve
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions
from harpagon.solvers.plugins import load_plugin, register
from harpagon.solvers.result import Result, Termination

PLUGIN = """
from harpagon.solvers.methods import solve
from harpagon.solvers.plugins import register

def helper(instance, billing, dispatch):
    return solve(instance, "{method}", billing, dispatch).plan

@register("plugged", dispatch="tc")
def plugged(instance, billing, dispatch):
    return helper(instance, billing, dispatch)
"""


@pytest.fixture(autouse=True)
def shipped_only_afterwards() -> Iterator[None]:
    before = dict(METHODS)
    yield
    METHODS.clear()
    METHODS.update(before)


def borrowed(instance: Instance, billing: Billing, dispatch: Dispatch) -> Plan | None:
    """Harpagon's plan."""
    return solve(instance, "harpagon", billing, dispatch).plan


def test_a_registered_heuristic_is_a_row_like_any_other(worked_example: Instance) -> None:
    assert register("mine", dispatch=("tc", "edf"), billing="whole")(borrowed) is borrowed
    method = find_method("mine")
    assert (method.kind, method.summary, method.default_dispatch) == (Kind.HEURISTIC, "Harpagon's plan.", Dispatch.TC)
    assert method.capabilities.billings == (Billing.WHOLE,)
    assert set(method.capabilities.dispatches) == {Dispatch.TC, Dispatch.EDF}
    result = solve(worked_example, "mine", Billing.WHOLE)
    assert (result.method, result.termination, result.objective) == ("mine", Termination.FEASIBLE, 5.0)
    with pytest.raises(UnsupportedError, match="mine does not support fractional billing under tc dispatch"):
        solve(worked_example, "mine")


def test_options_reach_the_function_so_that_several_methods_share_one(worked_example: Instance) -> None:
    def by_name(instance: Instance, billing: Billing, dispatch: Dispatch, name: str) -> Plan | None:
        return solve(instance, name, billing, dispatch).plan

    register("one", dispatch="round-robin", options={"name": "clipper"})(by_name)
    register("two", dispatch="round-robin", options={"name": "nexus"})(by_name)
    for own, shipped in (("one", "clipper"), ("two", "nexus")):
        assert solve(worked_example, own).plan == solve(worked_example, shipped).plan


def test_a_registered_exact_method_returns_a_result(worked_example: Instance) -> None:
    @register("proven", kind="exact", dispatch="free")
    def proven(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
        return solve(instance, "exact", billing, dispatch, options)

    result = solve(worked_example, "proven")
    assert (result.method, result.dual_bound) == ("proven", 5.0)


def test_every_plan_goes_through_the_checker(worked_example: Instance) -> None:
    @register("too-cheap")
    def too_cheap(instance: Instance, billing: Billing, dispatch: Dispatch) -> Plan | None:
        plan = borrowed(instance, billing, dispatch)
        assert plan is not None
        return replace(plan, cost=plan.cost / 2)

    with pytest.raises(CheckFailedError, match="'too-cheap' fails the independent check"):
        solve(worked_example, "too-cheap")


def test_what_is_wrong_with_a_function_is_told_with_its_place(worked_example: Instance) -> None:
    @register("wrong-kind")
    def wrong_kind(instance: Instance, billing: Billing, dispatch: Dispatch) -> Plan | None:
        return 5.0  # type: ignore[return-value]

    @register("raises")
    def raises(instance: Instance, billing: Billing, dispatch: Dispatch) -> Plan | None:
        raise ZeroDivisionError("no machines")

    with pytest.raises(MethodFailedError, match=r"'wrong-kind' fails on .* it returned float, not a Plan or None"):
        solve(worked_example, "wrong-kind")
    with pytest.raises(MethodFailedError, match=r"ZeroDivisionError: no machines \(test_plugins.py, line \d+\)"):
        solve(worked_example, "raises")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("exact", {}, "is the name of a shipped method"),
        ("a,b", {}, "is no name for a method"),
        ("heuristics", {}, "is no name for a method"),
        ("x", {"dispatch": "tcc"}, 'there is no dispatch "tcc". Use tc, free'),
        ("x", {"billing": "half"}, 'there is no billing "half"'),
        ("x", {"kind": "magic"}, 'there is no kind "magic"'),
        ("x", {"dispatch": ()}, "names no dispatch policy"),
    ],
)
def test_a_malformed_registration_is_refused(name: str, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        register(name, **arguments)(borrowed)  # type: ignore[arg-type]


def test_rows_of_an_edited_method_are_not_reused(worked_example: Instance, tmp_path: Path) -> None:
    keys = []
    for text in ("harpagon", "clipper"):
        (tmp_path / "mine.py").write_text(PLUGIN.format(method=text))
        load_plugin(str(tmp_path / "mine.py"))
        task = Task(worked_example, "plugged", Billing.WHOLE, Dispatch.TC, DEFAULT_OPTIONS)
        keys += [keyed_tasks([task], "1")[0].key, keyed_tasks([replace(task, method="harpagon")], "1")[0].key]
    assert keys[0] != keys[2] and keys[1] == keys[3]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_gap_takes_a_plugin_with_any_number_of_workers(
    workers: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN.format(method="harpagon"))
    arguments = ["gap", "--plugin", str(plugin), "--methods", "plugged", "--suite", "worked-example", "--billing"]
    arguments += ["whole", "--workers", workers, "--out"]
    assert main([*arguments, str(tmp_path / "right")]) == 0
    assert "plugged" in capfd.readouterr().out
    plugin.write_text(PLUGIN.format(method="no-such"))
    assert main([*arguments, str(tmp_path / "wrong")]) == ExitCode.MACHINE_FAILED
    assert "registered method 'plugged' fails on 'worked-example': InputError: no-such" in capfd.readouterr().err


def test_a_script_registers_for_its_own_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        PLUGIN.format(method="harpagon")
        + "from harpagon.cli import main\n"
        + "main(['gap', '--methods', 'plugged', '--suite', 'worked-example', '--workers', '2', '--out', 'study'])\n"
    )
    done = subprocess.run([sys.executable, str(script)], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"method": "plugged"' in (tmp_path / "study" / "rows.jsonl").read_text()


@pytest.mark.parametrize(
    ("text", "fault"), [("x = 1 / 0", "line 1: importing it raises ZeroDivisionError"), ("def f(:", "line 1: import")]
)
def test_a_faulty_plugin_file_is_bad_input(text: str, fault: str, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(text)
    with pytest.raises(InputError, match=fault):
        load_plugin(str(plugin))


@pytest.mark.parametrize("target", ["no/such/file.py", "no_such_module.at_all"])
def test_a_missing_plugin_is_bad_input(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "worked-example", "--plugin", target]) == 2
    assert target in capsys.readouterr().err


def test_entry_points_of_other_packages_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, worked_example: Instance
) -> None:
    (tmp_path / "other_package.py").write_text(PLUGIN.format(method="harpagon"))
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint("plugged", "other_package", "harpagon.methods")]
    monkeypatch.setattr(methods, "entry_points", lambda group: [p for p in points if p.group == group])
    methods.load_entry_points.cache_clear()
    assert solve(worked_example, "plugged").objective == 5.0
    points[0] = EntryPoint("broken", "no_such_package", "harpagon.methods")
    methods.load_entry_points.cache_clear()
    with pytest.raises(InputError, match=r"entry point broken of .* importing no_such_package raises"):
        find_method("unheard-of")
    methods.load_entry_points.cache_clear()
