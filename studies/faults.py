"""What `harpagon gap` does under faults, one row a fault: ``python -m studies.faults [NAME...]``.

Each row ends a run or takes its output away, then runs the same command again on this machine: exit code, rows kept,
processes left, and whether the costs of the resumed run are those of an undisturbed one. A failed row is kept, with its
reason, and counts as no outcome. Linux only, since it reads ``/proc``; faults of disks mount one and need root.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harpagon.evaluation.sweep.rows import RowFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

Victim = Literal["main", "worker", "group", "scheduler"]
Costs = dict[tuple[str, ...], float | None]

PROGRAM = "import sys; from harpagon.cli import main; sys.exit(main())"
GAP = ("gap", "--suite", "smoke", "--billing", "whole", "--workers", "2", "--out", "out")
OWNER = (
    "import time, pathlib; from harpagon.evaluation.sweep.row_file import owned; "
    "folder = owned(pathlib.Path('out')); folder.__enter__(); time.sleep(600)"
)
"""Another run, as far as the folder is concerned."""
POISON = """
import os, pathlib, signal
from harpagon.solvers.methods import solve
from harpagon.solvers.plugins import register

@register("poisoned", dispatch="tc", billing="whole")
def poisoned(instance, billing, dispatch):
    kind = pathlib.Path("{folder}/poison")
    if instance.name == "actdet-100rps-292ms" and kind.exists():
        {{"crash": os.abort, "memory": lambda: bytearray(4_000_000_000), "error": lambda: 1 / 0}}[kind.read_text()]()
    return solve(instance, "harpagon", billing, dispatch).plan
"""
"""A method that fails on one workload as long as a file says how."""
POISONED = ("--plugin", "poison.py", "--methods", "poisoned")
CLUSTER = (
    "dask_scheduler",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--no-dashboard",
    "--scheduler-file",
    "scheduler.json",
)
WORKER = ("dask_worker", "--scheduler-file", "scheduler.json", "--nthreads", "1", "--no-nanny", "--no-dashboard")
SECONDS_TO_LEAVE = 10.0
STOPS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to a run.

    Attributes
    ----------
    stop
        Signal; None lets the run end by itself.
    rows
        Rows in the file when the signal comes; 0 as soon as a second process runs.
    victim
        Who gets it; the group is the run and its workers, as at a terminal.
    cluster
        Whether a Dask cluster solves.
    arguments
        Of the command, beside `GAP`.
    redirect
        What the shell does with the output.
    before, after
        Shell commands in the folder, before the run and before it is run again.
    root
        Whether they need its rights.
    """

    stop: signal.Signals | None = None
    rows: int = 0
    victim: Victim = "main"
    cluster: bool = False
    arguments: tuple[str, ...] = ()
    redirect: str = ">/dev/null"
    before: str = "true"
    after: str = "true"
    root: bool = False


def _poisoned(kind: str, *arguments: str) -> Fault:
    return Fault(arguments=(*POISONED, *arguments), before=f"printf {kind} > poison", after="rm poison")


DISK = "mkdir out && mount -t tmpfs -o %s tmpfs out"
FAULTS = {
    **{
        f"{stop.name} of {victim} at {rows} rows": Fault(stop, rows, victim)
        for victim in ("main", "worker")
        for stop in STOPS
        for rows in (0, 1, 40)
    },
    **{f"SIGINT of all at {rows} rows": Fault(signal.SIGINT, rows, "group") for rows in (0, 1, 40)},
    **{f"SIGPIPE of main at {rows} rows": Fault(signal.SIGPIPE, rows) for rows in (0, 1, 40)},
    **{
        f"Dask: {stop.name} of {victim} at {rows} rows": Fault(stop, rows, victim, cluster=True)
        for victim in ("main", "worker", "scheduler")
        for stop in STOPS
        for rows in (1, 40, 100)
    },
    "Dask: address where nothing answers": Fault(arguments=("--scheduler", "tcp://127.0.0.1:9")),
    "Dask: address that is none": Fault(arguments=("--scheduler", "nonsense")),
    "task that ends its worker": _poisoned("crash"),
    "task that raises": _poisoned("error"),
    "task beyond --memory-limit": _poisoned("memory", "--memory-limit", "2"),
    "full standard output": Fault(redirect=">/dev/full"),
    "closed standard output": Fault(redirect=">&-"),
    "reader of standard output gone": Fault(redirect="> >(true)"),
    "files that may not grow": Fault(before="ulimit -f 16"),
    "full disk": Fault(before=DISK % "size=32k", after="mount -o remount,size=64m out", root=True),
    "read-only disk": Fault(before=DISK % "size=64m,ro", after="mount -o remount,rw out", root=True),
    "a file in the folder's place": Fault(before="touch out", after="rm out"),
    "a folder in the place of the rows": Fault(before="mkdir -p out/rows.jsonl", after="rmdir out/rows.jsonl"),
    "the folder in use by another run": Fault(
        before=f'mkdir out; setsid "{sys.executable}" -c "{OWNER}" >/dev/null 2>&1 & '
        "until [ -s out/.lock ]; do sleep 0.05; done",
        after='kill "$(cat out/.lock)"; while [ -e "/proc/$(cat out/.lock)" ]; do sleep 0.05; done',
    ),
}


def costs(folder: Path) -> Costs:
    """Case to cost, from the rows of a run that have an outcome."""
    path = folder / "out" / "rows.jsonl"
    rows = RowFile(path).read().values() if path.is_file() else ()
    return {(row.workload, *row.series): row.cost for row in rows if not row.failed}


def start(
    folder: Path, arguments: Sequence[str] = (), redirect: str = ">/dev/null", before: str = "true"
) -> subprocess.Popen[str]:
    """The command in a session of its own, so that whatever it leaves behind can be found."""
    (folder / "poison.py").write_text(POISON.format(folder=folder))
    shell = f'{before}\nexec "{sys.executable}" -c "{PROGRAM}" "$@" {redirect}'
    command = ["bash", "-c", shell, "harpagon", *GAP, *arguments]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)


@cache
def undisturbed(arguments: tuple[str, ...]) -> Costs:
    """Costs of the command when nothing happens."""
    with tempfile.TemporaryDirectory() as place, start(Path(place), arguments) as run:
        run.communicate()
        return costs(Path(place))


@contextmanager
def dask(folder: Path) -> Iterator[dict[Victim, int]]:
    """A scheduler and two workers; who is to be struck, by process id."""
    with suppress(ProcessLookupError):
        running = []
        try:
            for module, *options in (CLUSTER, WORKER, WORKER):
                command = [sys.executable, "-m", f"distributed.cli.{module}", *options]
                running.append(
                    subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                )
                while not (folder / "scheduler.json").exists():
                    time.sleep(0.05)
            yield {"scheduler": running[0].pid, "worker": running[1].pid}
        finally:
            for process in running:
                process.kill()
                process.wait()


def members(session: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, own = path.read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def strike(fault: Fault, run: subprocess.Popen[str], folder: Path, cluster: dict[Victim, int]) -> None:
    """Send the signal once there are so many rows."""
    if fault.stop is None:
        return
    least = 1 if cluster else 2
    while run.poll() is None and (len(costs(folder)) < fault.rows or len(members(run.pid)) < least):
        time.sleep(0.01)
    victim = run.pid
    if fault.victim in ("worker", "scheduler"):
        victim = cluster[fault.victim] if cluster else max(members(run.pid), default=run.pid)
    with suppress(ProcessLookupError):
        (os.killpg if fault.victim == "group" else os.kill)(victim, fault.stop)


def row(name: str, fault: Fault, folder: Path) -> str:
    """One row of the table, in Markdown."""
    wanted = undisturbed(fault.arguments if fault.arguments[:1] == POISONED[:1] else ())
    cluster_of_run: AbstractContextManager[dict[Victim, int]] = dask(folder) if fault.cluster else nullcontext({})
    with cluster_of_run as cluster:
        address = ("--scheduler", json.loads((folder / "scheduler.json").read_text())["address"]) if cluster else ()
        with start(folder, (*fault.arguments, *address), fault.redirect, fault.before) as run:
            strike(fault, run, folder, cluster)
            messages = run.communicate()[1]
    ended = time.perf_counter()
    while members(run.pid) and time.perf_counter() - ended < SECONDS_TO_LEAVE:
        time.sleep(0.1)
    left, kept = len(members(run.pid)), len(costs(folder))
    again_arguments = () if "--scheduler" in fault.arguments else fault.arguments
    with start(folder, again_arguments, ">/dev/null", fault.after) as again:
        again.communicate()
    same = "equal" if again.returncode == 0 and costs(folder) == wanted else "DIFFERENT"
    traced = "yes" if "Traceback" in messages or "Exception ignored" in messages else "no"
    return f"| {name} | {run.returncode} | {traced} | {kept}/{len(wanted)} | {left} | {same} |"


def main() -> None:
    """Print the table of all faults, or of those whose names contain one of the arguments."""
    wanted = sys.argv[1:] or [""]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children of a background job would ignore it
    print("| fault | exit code | traceback | rows kept | left after 10 s | resumed |\n|---|---|---|---|---|---|")
    for name, fault in FAULTS.items():
        if not any(part in name for part in wanted) or (fault.root and os.geteuid() != 0):
            continue
        with tempfile.TemporaryDirectory() as place:
            try:
                print(row(name, fault, Path(place)), flush=True)
            finally:
                if fault.root:
                    subprocess.run(["umount", f"{place}/out"], check=False)


if __name__ == "__main__":
    main()
