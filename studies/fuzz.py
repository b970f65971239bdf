"""Mutated files and flags through every command: no traceback, no hang, and exit codes of the contract only.

``python -m studies.fuzz --runs N --seed S`` runs N mutations in this process and prints the exit codes by command; a
failure is printed with the seed that repeats it alone (``--runs 1 --seed S``). Left out is `harpagon profile`, which
needs ONNX Runtime.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harpagon.cli import main as harpagon
from harpagon.cli.exits import ExitCode
from harpagon.instances.files.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEASUREMENTS = Path(__file__).parents[1] / "tests" / "instances" / "measurements" / "files"
FORMATS = {
    "aibrix": "aibrix.json",
    "aiperf": "aiperf.json",
    "mlperf": "mlperf.txt",
    "model-analyzer": "model-analyzer.csv",
    "perf-analyzer": "perf-analyzer.csv",
    "prices": "skypilot.csv",
    "timm": "timm.csv",
    "vllm": "vllm.json",
}
TRACES = {
    "ARRIVALS": "time_s\n0.01\n0.02\n0.05\n0.4\n",
    "COUNTS": "requests\n" + "20\n30\n" * 6,
    "LINK": "time_s,bytes_per_second\n" + "".join(f"{second},{1e6 + 1e5 * (second % 7)}\n" for second in range(20)),
}
"""Word of a command to the text that is mutated in its place."""
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan", "FILE"),
    ("plan", "FILE", "--json", "--method", "harpagon"),
    ("explain", "FILE"),
    ("check", "FILE", "PLAN"),
    ("check", "worked-example", "FILE"),
    ("simulate", "FILE", "PLAN", "--duration", "1"),
    ("instances", "show", "FILE"),
    ("instances", "show", "FILE", "--json"),
    ("simulate", "FILE", "PLAN", "--arrivals", "ARRIVALS"),
    ("export", "FILE", "--format", "lp"),
    ("export", "FILE", "--format", "mps", "--formulation", "pattern", "--dispatch", "tc"),
    ("import", "FORMAT", "MEASUREMENT", "--hardware", "T4", "--model", "m", "--out", "profiles.json"),
    ("deploy", "FILE", "PLAN", "--target", "k8s", "--out", "deployed"),
    ("deploy", "FILE", "PLAN", "--target", "triton", "--out", "deployed"),
    ("plan", "FILE", "--start", "PLAN", "--figure", "plan.svg", "--out", "new.json"),
)
SLOW: tuple[tuple[str, ...], ...] = (
    ("gap", "--suite", "FILE", "--methods", "harpagon,nexus", "--out", "gaps"),
    ("curve", "FILE", "--from", "0.95", "--to", "1.05"),
    ("headroom", "FILE", "--duration", "0.2", "--percentile", "90", "--confidence", "50"),
    ("sponge", "--trace", "LINK", "--rate", "5"),
    ("slopt", "FILE", "--trace", "COUNTS"),
    ("run", "FILE", "PLAN", "--duration", "0.1"),
)
"""One run in ten is one of these."""
LONGEST = 120.0
"""Processor seconds after which a run counts as hanging."""
FLAGS = (("--billing", "hourly"), ("--time-limit", "0"), ("--time-limit", "nan"), ("--dispatch", "x"), ("--no-such",))
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 0.5, 1e-320, 1e300, 10**30, float("nan"), float("inf"), "", "8", [], {}, [[]], {"1": "x"}),
    *("[/d]", "T4[spot]", "\x1b[31m", "$\\frac{$", "<b>", "\ud800", "a\nb", "x" * 300, "capacity", {"mean_ms": 3}),
)
ALLOWED = {int(code) for code in ExitCode}


def mutate(rng: random.Random, document: Any) -> Any:
    """A copy of ``document`` with one to three places dropped, renamed, replaced by junk, or only other figures."""
    changed = copy.deepcopy(document)
    kinds = ("figure",) if rng.random() < 0.5 else ("drop", "junk", "junk", "figure", "rename")
    for _ in range(rng.randint(1, 3)):
        places = list(_places(changed))
        if places:
            holder, key = rng.choice(places)
            _edit(rng, holder, key, rng.choice(kinds))
    return changed


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item)


def _edit(rng: random.Random, holder: Any, key: Any, kind: str) -> None:
    if kind == "drop":
        del holder[key]
    elif kind == "figure":
        if isinstance(holder[key], int | float):
            holder[key] = holder[key] * rng.choice((-1, 0, 1e-9, 1e-3, 0.1, 0.5, 1.0000001, 2, 10, 1e3, 1e9))
    elif kind == "rename" and isinstance(holder, dict):
        holder[rng.choice([item for item in JUNK if isinstance(item, str)])] = holder.pop(key)
    else:
        holder[key] = copy.deepcopy(rng.choice(JUNK))


def mutate_text(rng: random.Random, text: str) -> str:
    """A copy of ``text`` with one to three lines dropped, doubled, cut off, or a cell replaced by junk."""
    lines = text.splitlines()
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(lines)) if lines else None
        kind = rng.choice(("drop", "double", "cut", "cell", "cell"))
        if place is None:
            continue
        if kind == "drop":
            del lines[place]
        elif kind == "double":
            lines.insert(place, lines[place])
        elif kind == "cut":
            lines[place] = lines[place][: rng.randint(0, len(lines[place]))]
        else:
            cells = lines[place].split(",")
            cells[rng.randrange(len(cells))] = str(rng.choice(JUNK))
            lines[place] = ",".join(cells)
    return "\n".join(lines) + "\n"


def mutate_measurement(rng: random.Random, path: Path) -> str:
    """A measurement file mutated as data where it is JSON, as text otherwise."""
    text = path.read_text()
    if path.suffix == ".json" and rng.random() < 0.7:
        return json.dumps(mutate(rng, json.loads(text)))
    return mutate_text(rng, text)


class HangError(Exception):
    """A run took longer than `LONGEST`."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise `HangError` where the block takes longer than `LONGEST` of this process, or ten times that by the clock."""

    def give_up(*_: object) -> None:
        raise HangError(f"took longer than {LONGEST:g} s")

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, LONGEST), (signal.SIGALRM, signal.ITIMER_REAL, 10 * LONGEST))
    before = [signal.signal(alarm, give_up) for alarm, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (alarm, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(alarm, handler)


def _written(rng: random.Random, folder: Path, command: tuple[str, ...], instance: Any, plan: Any) -> list[str]:
    """The command with the mutated files it reads, written into ``folder``."""
    format_, name = rng.choice(sorted(FORMATS.items()))
    made: dict[str, Callable[[], str]] = {
        "FILE": lambda: json.dumps(mutate(rng, instance) if rng.random() < 0.8 else instance),
        "PLAN": lambda: json.dumps(mutate(rng, plan) if rng.random() < 0.5 else plan),
        "MEASUREMENT": lambda: mutate_measurement(rng, MEASUREMENTS / name),
        **{word: partial(mutate_text, rng, text) for word, text in TRACES.items()},
    }
    arguments = []
    for word in command:
        if word in made:
            (folder / word).write_text(made[word](), encoding="utf-8", errors="surrogatepass")
        arguments.append(str(folder / word) if word in made else format_ if word == "FORMAT" else word)
    return arguments


def run_once(seed: int, folder: Path, instance: Any, plan: Any) -> tuple[str, int]:
    """One command on mutated files; its name and its exit code. Whatever it raises is a defect and is passed on."""
    rng = random.Random(seed)
    command = rng.choice(SLOW) if rng.random() < 0.1 else rng.choice(COMMANDS)
    arguments = _written(rng, folder, command, instance, plan)
    if command[0] == "plan":
        arguments += ["--time-limit", "1"]
    if rng.random() < 0.1:
        arguments += rng.choice(FLAGS)
    silent = io.StringIO()
    quiet = contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent), warnings.catch_warnings()
    with quiet[0], quiet[1], quiet[2], contextlib.chdir(folder), bounded():  # export writes where it stands
        return command[0], int(harpagon(arguments))


def sources() -> tuple[Any, Any]:
    """The template instance as plain data, and its plan."""
    from harpagon.instances.files.documents import parse_yaml
    from harpagon.instances.files.instances import from_document
    from harpagon.instances.files.plans import plan_document
    from harpagon.solvers.certificates import certificate
    from harpagon.solvers.methods import solve

    document = parse_yaml(TEMPLATE, "template")
    result = solve(from_document(document, "template"), dispatch=None)
    assert result.plan is not None
    return document, json.loads(json.dumps(plan_document(result.plan, certificate(result)), default=str))


def fuzz(runs: int, seed: int) -> tuple[Counter[tuple[str, int]], list[str]]:
    """Exit codes by command, and the failures with their seeds, which are printed as they come."""
    instance, plan = sources()
    codes: Counter[tuple[str, int]] = Counter()
    failures: list[str] = []
    for number in range(seed, seed + runs):
        with tempfile.TemporaryDirectory() as name:
            try:
                command, code = run_once(number, Path(name), instance, plan)
            except Exception as error:
                failure: str | None = f"--seed {number}: {type(error).__name__}: {error}"
            else:
                codes[command, code] += 1
                failure = None if code in ALLOWED else f"--seed {number}: {command} ends with exit code {code}"
        if failure:
            print(failure, flush=True)
            failures.append(failure)
    return codes, failures


def main(arguments: list[str] | None = None) -> int:
    """Run the command line of this study; 1 where anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    codes, failures = fuzz(options.runs, options.seed)
    for (command, code), times in sorted(codes.items()):
        print(f"{command:<10} exit {code:>3}  {times:>6}")
    print(f"{sum(codes.values())} runs, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
