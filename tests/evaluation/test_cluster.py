"""Sweeps on many processes: a worker that is ended by its process id costs nothing."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.evaluation.gaps.study import study_tasks
from harpagon.evaluation.sweep.rows import RowFile
from harpagon.evaluation.sweep.sweep import sweep
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.methods import solve
from harpagon.solvers.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from harpagon.evaluation.sweep.rows import Row, Task
    from harpagon.instances.instance import Instance
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of another kind")


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    """Twelve small instances, both billings, the two optima and the heuristic: 72 solves."""
    rng = random.Random(5)
    instances = [replace(random_instance(rng, modules=(1, 2)), name=f"small-{i}") for i in range(12)]
    return study_tasks(instances, ["harpagon"], list(APART), DEFAULT_OPTIONS)


@pytest.fixture(scope="module")
def alone(tasks: list[Task], tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Rows of a sweep in this process."""
    return timeless(sweep(tasks, solve, RowFile(tmp_path_factory.mktemp("alone") / "rows.jsonl")))


def timeless(rows: list[Row]) -> list[Row]:
    """Rows without what differs from run to run."""
    return [replace(row, build_s=0.0, solve_s=0.0, runs=0, made="") for row in rows]


def test_a_cluster_that_loses_a_worker_gives_the_rows_of_a_local_sweep(
    tasks: list[Task], alone: list[Row], tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: harpagon[cluster]")
    file = RowFile(tmp_path / "rows.jsonl")
    done: list[Row] = []
    with _cluster() as cluster:

        def end_a_worker_half_way(row: Row) -> None:
            done.append(row)
            if len(done) == len(tasks) // 2:
                os.kill(cluster.workers[0].pid, signal.SIGKILL)

        rows = sweep(tasks, solve_slowly, file, finished=end_a_worker_half_way, scheduler=cluster.scheduler_address)
    assert timeless(rows) == alone
    assert len(done) == len(file.path.read_bytes().splitlines()) == len(tasks)


def solve_slowly(
    instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
) -> Result:
    """Solve so slowly that half-way the workers still have work under way."""
    time.sleep(0.005)
    return solve(instance, method, billing, dispatch, options)


def _cluster():  # type: ignore[no-untyped-def]
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    )


def refuse(*_: object, **__: object) -> None:
    """Stand for a client, which ends late and with a traceback where it cannot even try its address."""
    raise AssertionError("a client was made")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tls://127.0.0.1:9"])
def test_an_address_where_nothing_answers_is_bad_input(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: harpagon[cluster]")
    monkeypatch.setattr("distributed.Client", refuse)
    monkeypatch.setattr("harpagon.evaluation.sweep.cluster._CONNECT_SECONDS", 1)
    command = ["gap", "--suite", "worked-example", "--out", str(tmp_path / "out"), "--scheduler", address]
    assert main(command) == ExitCode.USAGE
    assert address in capfd.readouterr().err


class EndsItsProcess:
    """Solves, but ends the worker process on the first call that finds no note of an earlier end."""

    def __init__(self, note: Path, always: bool = False) -> None:
        self.note = note
        self.always = always

    def __call__(
        self, instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
    ) -> Result:
        if instance.name == "small-6" and (self.always or not self.note.exists()):
            self.note.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return solve(instance, method, billing, dispatch, options)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A path that two processes can tell each other something by."""
    return tmp_path / "note"


def test_a_local_worker_that_dies_is_replaced(tasks: list[Task], alone: list[Row], note: Path) -> None:
    rows = sweep(tasks, EndsItsProcess(note), RowFile(note.parent / "rows.jsonl"), workers=2)
    assert note.exists()
    assert timeless(rows) == alone


@pytest.mark.parametrize("workers", [1, 2])
def test_a_solve_that_always_ends_its_worker_fails_alone(
    workers: int, tasks: list[Task], alone: list[Row], note: Path
) -> None:
    file = RowFile(note.parent / "rows.jsonl")
    wanted = [row for row in alone if row.series == ("whole", "harpagon", "tc")]
    few = [task for task in tasks if (task.billing, task.method) == (Billing.WHOLE, "harpagon")]
    rows = sweep(few, EndsItsProcess(note, always=True), file, workers=workers, isolated=True)
    (failed,) = [row for row in rows if row.failed]
    assert (failed.workload, failed.reason) == ("small-6", "its worker process ended twice: SIGKILL(-9)")
    assert timeless([row for row in rows if not row.failed]) == [row for row in wanted if row.workload != "small-6"]
    assert timeless(sweep(few, solve, file)) == wanted


def test_a_solve_that_always_ends_its_worker_fails_alone_on_a_cluster(
    tasks: list[Task], alone: list[Row], note: Path
) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: harpagon[cluster]")
    dask = pytest.importorskip("dask")
    few = [task for task in tasks if task.instance.name in ("small-5", "small-6") and task.method == "harpagon"]
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), _cluster() as cluster:
        rows = sweep(
            few,
            EndsItsProcess(note, always=True),
            RowFile(note.parent / "rows.jsonl"),
            scheduler=cluster.scheduler_address,
        )
    assert {row.workload for row in rows if row.failed} == {"small-6"}
    assert all("its workers ended" in row.reason for row in rows if row.failed)
    found = timeless([row for row in rows if not row.failed])
    assert found == [row for row in alone if row.workload == "small-5" and row.method == "harpagon"]


def exhaust_memory(
    instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
) -> Result:
    """Ask for four gigabytes for one of the instances."""
    if instance.name == "small-6":
        bytearray(4_000_000_000)
    return solve(instance, method, billing, dispatch, options)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of another kind")
def test_a_solve_beyond_its_memory_fails_alone(tasks: list[Task], alone: list[Row], tmp_path: Path) -> None:
    rows = sweep(tasks, exhaust_memory, RowFile(tmp_path / "rows.jsonl"), workers=2, memory=2_000_000_000)
    assert {(row.workload, row.reason) for row in rows if row.failed} == {("small-6", "MemoryError: ")}
    assert timeless([row for row in rows if not row.failed]) == [row for row in alone if row.workload != "small-6"]
