"""Sweeps: nothing finished is lost, nothing is done twice, and the rows do not depend on the workers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.cli.views.sweep_progress import RunningGap
from harpagon.evaluation.gaps.study import study_tasks
from harpagon.evaluation.gaps.tables import gaps, proven_optima, quantile, summarise
from harpagon.evaluation.sweep.processes import Processes
from harpagon.evaluation.sweep.rows import RowFile, Task, keyed_tasks
from harpagon.evaluation.sweep.sweep import sweep
from harpagon.instances.errors import MachineError
from harpagon.instances.generate import random_instance
from harpagon.instances.library.suites import suite_workloads
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import solve
from harpagon.solvers.options import DEFAULT_OPTIONS, SolverOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harpagon.evaluation.sweep.rows import Row
    from harpagon.instances.instance import Instance
    from harpagon.solvers.result import Result


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    """Three small instances, both billings, the two optima and the heuristic: 18 solves."""
    rng = random.Random(11)
    instances = [replace(random_instance(rng, modules=(2, 3)), name=f"small-{i}") for i in range(3)]
    return study_tasks(instances, ["harpagon"], list(APART), DEFAULT_OPTIONS)


def timeless(rows: list[Row]) -> list[Row]:
    """Rows without what differs from run to run."""
    return [replace(row, build_s=0.0, solve_s=0.0, runs=0, made="") for row in rows]


def refuse(instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
    """Solve for sweeps that have nothing left to solve."""
    raise AssertionError("solved a second time")


def test_rows_are_the_same_for_one_and_for_two_workers(tasks: list[Task], tmp_path: Path) -> None:
    alone = sweep(tasks, solve, RowFile(tmp_path / "one.jsonl"), workers=1)
    together = sweep(tasks, solve, RowFile(tmp_path / "two.jsonl"), workers=2)
    assert timeless(alone) == timeless(together)
    assert [row.workload for row in alone] == [task.instance.name for task in tasks]


def test_a_finished_sweep_solves_nothing_again(tasks: list[Task], tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows.jsonl")
    first = sweep(tasks, solve, file)
    assert sweep(tasks, refuse, file) == first


@pytest.mark.parametrize("lost", [1, 40, 10_000])
def test_a_torn_last_line_costs_one_solve(lost: int, tasks: list[Task], tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows.jsonl")
    whole = sweep(tasks, solve, file)
    content = file.path.read_bytes()
    last = content[:-1].rfind(b"\n") + 1
    file.path.write_bytes(content[: max(last, len(content) - lost)])
    solved: list[Row] = []
    again = sweep(tasks, solve, file, finished=solved.append)
    assert timeless(again) == timeless(whole)
    assert file.read() == {row.key: row for row in again}
    assert len(file.path.read_bytes().splitlines()) == len(tasks)


def test_an_interrupted_sweep_keeps_what_is_finished(tasks: list[Task], tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows.jsonl")
    done: list[Row] = []

    def stop_after_five(row: Row) -> None:
        done.append(row)
        if len(done) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(tasks, solve, file, finished=stop_after_five)
    assert list(file.read().values()) == done
    assert len(sweep(tasks, solve, file)) == len(tasks)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_a_second_ctrl_c_leaves_no_worker_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    shutdown = ProcessPoolExecutor.shutdown

    def pressed_once_more(pool: ProcessPoolExecutor, **options: bool) -> None:
        started.extend(pool._processes)
        os.kill(os.getpid(), signal.SIGINT)
        shutdown(pool, **options)

    monkeypatch.setattr(ProcessPoolExecutor, "shutdown", pressed_once_more)
    rows = Processes(abs, lambda task, reason: task, workers=2).rows([-1, -2, -3, -4])
    with pytest.raises(KeyboardInterrupt, match="first"):
        for _ in rows:
            rows.throw(KeyboardInterrupt("first"))
    assert started
    for worker in started:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_while_workers_start_is_heard_once_they_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    submit = ProcessPoolExecutor.submit

    def pressed_meanwhile(pool: ProcessPoolExecutor, *arguments: object) -> object:
        if not started:
            os.kill(os.getpid(), signal.SIGINT)
        future = submit(pool, *arguments)
        started.extend(pool._processes)
        return future

    monkeypatch.setattr(ProcessPoolExecutor, "submit", pressed_meanwhile)
    with pytest.raises(KeyboardInterrupt):
        list(Processes(abs, lambda task, reason: task, workers=2).rows([-1, -2]))
    assert len(set(started)) == 2
    for worker in started:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_a_sweep_stopped_with_many_tasks_waiting_ends_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of the pool would die on tasks that wait while its workers are killed, and say so on its way out."""
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    for _ in range(3):
        rows = Processes(abs, lambda task, reason: task, workers=2).rows(list(range(500)))
        next(rows)
        rows.close()
    assert died == []


@pytest.mark.parametrize(("deaths", "ends"), [(2, False), (3, True)])
def test_workers_that_die_without_a_task_are_replaced_twice(
    deaths: int, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts, finished = count(1), Processes._finished

    def killed_at_first(pool: Processes[int, int], left: dict[int, int], folder: Path) -> Iterator[int]:
        if next(starts) <= deaths:
            raise BrokenProcessPool("exit codes {SIGKILL(-9)}")
        yield from finished(pool, left, folder)

    monkeypatch.setattr(Processes, "_finished", killed_at_first)
    rows = Processes(abs, lambda task, reason: task, workers=2).rows([-1, -2])
    if ends:
        with pytest.raises(MachineError, match=r"SIGKILL\(-9\)"):
            list(rows)
    else:
        assert sorted(rows) == [1, 2]


def test_the_key_tells_tasks_apart(tasks: list[Task]) -> None:
    task = tasks[0]
    others = [
        replace(task, billing=Billing.FRACTIONAL),
        replace(task, dispatch=Dispatch.FREE),
        replace(task, method="harpagon"),
        replace(task, options=SolverOptions(gap=0.01)),
        replace(task, instance=tasks[-1].instance),
    ]
    keys = {keyed_tasks([other], "1")[0].key for other in (task, *others)} | {keyed_tasks([task], "2")[0].key}
    assert len(keys) == 7
    assert keyed_tasks([task], "1")[0].key == keyed_tasks([replace(task)], "1")[0].key


def test_summary_counts_what_the_rows_say(tasks: list[Task], tmp_path: Path) -> None:
    rows = sweep(tasks, solve, RowFile(tmp_path / "rows.jsonl"))
    summaries = {(summary.billing, summary.label): summary for summary in summarise(rows)}
    optima = proven_optima(rows)
    assert len(optima) == 2 * 3 * 3
    for billing in APART:
        heuristic = [row for row in rows if row.series == (billing, "harpagon", "tc")]
        found = gaps(heuristic, optima, Dispatch.TC)
        summary = summaries[billing, "harpagon"].gaps[Dispatch.TC]
        assert summary.compared == len(found) == 3
        assert summary.largest == max(found) >= -1e-9
        assert summary.optimal == sum(gap < 1e-6 for gap in found)
        free = summaries[billing, "exact (free)"]
        assert (free.workloads, free.planned, free.proven) == (3, 3, 3)
        largest = free.gaps[Dispatch.TC].largest
        assert largest is not None and largest <= 1e-9


def test_running_gap_does_not_depend_on_the_order_of_rows(tasks: list[Task], tmp_path: Path) -> None:
    rows = sweep(tasks, solve, RowFile(tmp_path / "rows.jsonl"))
    texts = set()
    for order in (rows, rows[::-1]):
        running = RunningGap()
        for row in order:
            running.add(row)
        texts.add(str(running))
    found = gaps([row for row in rows if row.method == "harpagon"], proven_optima(rows), Dispatch.TC)
    assert texts == {f"harpagon {sum(found) / len(found):+.2%}"}


def test_quantile_interpolates_as_numpy_does() -> None:
    numpy = pytest.importorskip("numpy")
    values = [3.0, 1.0, 2.0, 10.0, 4.0]
    for share in (0.0, 0.3, 0.5, 0.95, 0.99, 1.0):
        assert quantile(values, share) == pytest.approx(float(numpy.quantile(values, share)))


def test_gap_writes_tables_and_figures_and_resumes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "study"
    arguments = ["gap", "--suite", "worked-example", "--methods", "harpagon,nexus", "--out", str(folder)]
    assert main(arguments) == ExitCode.DONE
    table = capfd.readouterr().out
    assert "exact (tc)" in table and "harpagon" in table and "nexus" in table
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(written) == {"rows.jsonl", "rows.csv", "rows.parquet", "summary.csv", "gaps.png", "times.png"}
    assert main(arguments) == ExitCode.DONE
    assert (folder / "rows.jsonl").read_bytes() == written["rows.jsonl"]


WORKLOADS = 8
STOPS_AT_FIRST_ROW = """
import sys, time
from harpagon.cli import main
from harpagon.evaluation.sweep.rows import RowFile

append = RowFile.append
def append_and_stop(self, row):
    append(self, row)
    time.sleep(600)

if len(sys.argv) > 1 and sys.argv[1] == "stop":
    del sys.argv[1]
    RowFile.append = append_and_stop
sys.exit(main())
"""
PROGRAM = (sys.executable, "-c", STOPS_AT_FIRST_ROW)
COMMAND = [
    *("gap", "--billing", "whole", "--out", "study"),
    *(part for workload in suite_workloads("smoke")[:WORKLOADS] for part in ("--suite", workload.name)),
]


def _members(session: int) -> list[int]:
    """Process ids of a session, as Linux tells them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, own = path.read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append(int(path.parent.name))
    return found


def _ends(session: int) -> bool:
    """Whether all of a session's processes end: one closes its pipes a moment before the table loses it."""
    deadline = time.monotonic() + 60
    while _members(session) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not _members(session)


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize(("stop", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 2), (signal.SIGKILL, 2)])
def test_a_stopped_gap_keeps_finished_solves_and_goes_on(stop: signal.Signals, workers: int, tmp_path: Path) -> None:
    """The signal comes after a row was written and before it is counted."""
    command = [*COMMAND, "--workers", str(workers)]
    rows = RowFile(tmp_path / "study" / "rows.jsonl")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [*PROGRAM, "stop", *command],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while process.poll() is None and not rows.read():
            time.sleep(0.002)
        assert process.poll() is None, process.communicate()
        os.kill(process.pid, stop)
        _, messages = process.communicate(timeout=300)  # its pipes close when the last of its workers is gone
    assert _ends(process.pid)
    assert list(scratch.iterdir()) == []
    kept = rows.read()
    total = 4 * WORKLOADS
    assert len(kept) == 1
    if stop != signal.SIGKILL:
        assert process.returncode == ExitCode.INTERRUPTED, messages
        assert f"interrupted: {len(kept)} of {total}" in messages and "Traceback" not in messages
    finished = subprocess.run([*PROGRAM, *command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"{WORKLOADS}/{WORKLOADS}" in finished.stdout
    after = rows.read()
    assert len(after) == total
    assert kept.items() <= after.items()
