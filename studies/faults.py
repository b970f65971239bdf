"""What `harpagon gap` does under faults, one row a fault: ``python -m studies.faults [NAME...]``.

Each row ends a run or takes its output away, then runs the same command again: exit code, rows kept, processes left,
and whether the costs of the resumed run are those of an undisturbed one. Linux only, since it reads ``/proc``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harpagon.evaluation.sweep.rows import RowFile

PROGRAM = "import sys; from harpagon.cli import main; sys.exit(main())"
GAP = ("gap", "--suite", "smoke", "--billing", "whole", "--workers", "2", "--out", "out")
OWNER = (
    "import time, pathlib; from harpagon.evaluation.sweep.row_file import owned; "
    "folder = owned(pathlib.Path('out')); folder.__enter__(); time.sleep(600)"
)
"""Another run, as far as the folder is concerned."""
SECONDS_TO_LEAVE = 10.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to a run.

    Attributes
    ----------
    stop
        Signal; None lets the run end by itself.
    rows
        Rows in the file when the signal comes.
    worker
        Whether a worker gets it instead of the main process.
    redirect
        What the shell does with the output.
    before, after
        Shell commands in the folder, before the run and before it is run again.
    """

    stop: signal.Signals | None = None
    rows: int = 0
    worker: bool = False
    redirect: str = ">/dev/null"
    before: str = "true"
    after: str = "true"


FAULTS = {
    **{
        f"{stop.name} of main at {rows} rows": Fault(stop, rows)
        for stop in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
        for rows in (0, 1, 40)
    },
    **{
        f"{stop.name} of a worker at {rows} rows": Fault(stop, rows, worker=True)
        for stop in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
        for rows in (1, 40)
    },
    "SIGPIPE of main at 1 rows": Fault(signal.SIGPIPE, 1),
    "full standard output": Fault(redirect=">/dev/full"),
    "closed standard output": Fault(redirect=">&-"),
    "reader of standard output gone": Fault(redirect="> >(true)"),
    "files that may not grow, as on a full disk": Fault(before="ulimit -f 16"),
    "a file in the folder's place": Fault(before="touch out", after="rm out"),
    "a folder in the place of the rows": Fault(before="mkdir -p out/rows.jsonl", after="rmdir out/rows.jsonl"),
    "the folder in use by another run": Fault(
        before=f'mkdir out; setsid "{sys.executable}" -c "{OWNER}" >/dev/null 2>&1 & '
        "until [ -s out/.lock ]; do sleep 0.05; done",
        after='kill "$(cat out/.lock)"; while [ -e "/proc/$(cat out/.lock)" ]; do sleep 0.05; done',
    ),
}


def costs(folder: Path) -> dict[tuple[str, ...], float | None]:
    """Case to cost, from the rows of a run."""
    path = folder / "out" / "rows.jsonl"
    rows = RowFile(path).read().values() if path.is_file() else ()
    return {(row.workload, *row.series): row.cost for row in rows}


def start(folder: Path, redirect: str, before: str = "true") -> subprocess.Popen[str]:
    """The command in a session of its own, so that whatever it leaves behind can be found."""
    shell = f'{before}\nexec "{sys.executable}" -c "{PROGRAM}" "$@" {redirect}'
    command = ["bash", "-c", shell, "harpagon", *GAP]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True)


def members(session: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, own = path.read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def strike(fault: Fault, run: subprocess.Popen[str], folder: Path) -> None:
    """Send the signal once there are so many rows."""
    if fault.stop is None:
        return
    while run.poll() is None and (len(costs(folder)) < fault.rows or len(members(run.pid)) < 2):
        time.sleep(0.01)
    victim = max(members(run.pid), default=run.pid) if fault.worker else run.pid
    with suppress(ProcessLookupError):
        os.kill(victim, fault.stop)


def row(name: str, fault: Fault, undisturbed: dict[tuple[str, ...], float | None]) -> str:
    """One row of the table, in Markdown."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with start(folder, fault.redirect, fault.before) as run:
            strike(fault, run, folder)
            messages = run.communicate()[1]
        ended = time.perf_counter()
        while members(run.pid) and time.perf_counter() - ended < SECONDS_TO_LEAVE:
            time.sleep(0.1)
        left, kept = len(members(run.pid)), len(costs(folder))
        with start(folder, ">/dev/null", fault.after) as again:
            again.communicate()
        same = "equal" if again.returncode == 0 and costs(folder) == undisturbed else "DIFFERENT"
    traced = "yes" if "Traceback" in messages or "Exception ignored" in messages else "no"
    return f"| {name} | {run.returncode} | {traced} | {kept}/{len(undisturbed)} | {left} | {same} |"


def main() -> None:
    """Print the table of all faults, or of those whose names contain one of the arguments."""
    wanted = sys.argv[1:] or [""]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children of a background job would ignore it
    with tempfile.TemporaryDirectory() as place:
        with start(Path(place), ">/dev/null") as run:
            run.communicate()
        undisturbed = costs(Path(place))
    print("| fault | exit code | traceback | rows kept | left after 10 s | resumed |\n|---|---|---|---|---|---|")
    for name, fault in FAULTS.items():
        if any(part in name for part in wanted):
            print(row(name, fault, undisturbed), flush=True)


if __name__ == "__main__":
    main()
