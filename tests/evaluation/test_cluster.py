"""Sweeps on many processes: a worker that is ended by its process id costs nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harpagon.cli import main
from harpagon.cli.exits import ExitCode
from harpagon.evaluation.gaps.study import study_tasks
from harpagon.evaluation.sweep.processes import WorkersLostError
from harpagon.evaluation.sweep.rows import RowFile
from harpagon.evaluation.sweep.sweep import sweep
from harpagon.instances.generate import random_instance
from harpagon.instances.policies import Billing, Dispatch
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
    return study_tasks(instances, ["harpagon"], list(Billing), DEFAULT_OPTIONS)


@pytest.fixture(scope="module")
def alone(tasks: list[Task], tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Rows of a sweep in this process."""
    return timeless(sweep(tasks, solve, RowFile(tmp_path_factory.mktemp("alone") / "rows.jsonl")))


def timeless(rows: list[Row]) -> list[Row]:
    """Rows without what differs from run to run."""
    return [replace(row, build_s=0.0, solve_s=0.0, runs=0) for row in rows]


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


def test_an_address_where_nothing_answers_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: harpagon[cluster]")
    monkeypatch.setattr("harpagon.evaluation.sweep.cluster._CONNECT_SECONDS", 1)
    command = ["gap", "--suite", "worked-example", "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:9"]
    assert main(command) == ExitCode.USAGE
    assert "tcp://127.0.0.1:9" in capfd.readouterr().err


class EndsItsProcess:
    """Solves, but ends the worker process on the first call that finds no note of an earlier end."""

    def __init__(self, note: Path, always: bool = False) -> None:
        self.note = note
        self.always = always

    def __call__(
        self, instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
    ) -> Result:
        if self.always or (instance.name == "small-6" and not self.note.exists()):
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


def test_a_solve_that_always_ends_its_worker_stops_the_sweep(tasks: list[Task], note: Path) -> None:
    with pytest.raises(WorkersLostError, match="4 solves"):
        sweep(tasks[:4], EndsItsProcess(note, always=True), RowFile(note.parent / "rows.jsonl"), workers=2)
