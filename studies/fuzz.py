"""Mutated files and flags through every command: no traceback, and exit codes of the contract only.

``python -m studies.fuzz --runs N --seed S`` runs N mutations in this process and prints the exit codes by command; a
failure is printed with the seed that repeats it alone (``--runs 1 --seed S``).
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import random
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from harpagon.cli import main as harpagon
from harpagon.cli.exits import ExitCode
from harpagon.instances.files.template import TEMPLATE

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan", "FILE"),
    ("plan", "FILE", "--json", "--method", "harpagon"),
    ("explain", "FILE"),
    ("check", "FILE", "PLAN"),
    ("check", "worked-example", "FILE"),
    ("simulate", "FILE", "PLAN", "--duration", "1"),
    ("instances", "show", "FILE"),
    ("instances", "show", "FILE", "--json"),
    ("export", "FILE", "--format", "lp"),
)
FLAGS = (("--billing", "hourly"), ("--time-limit", "0"), ("--time-limit", "nan"), ("--dispatch", "x"), ("--no-such",))
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 0.5, 1e-320, 1e300, 10**30, float("nan"), float("inf"), "", "8", [], {}, [[]], {"1": "x"}),
    *("[/d]", "T4[spot]", "\x1b[31m", "$\\frac{$", "<b>", "\ud800", "a\nb", "x" * 300, "capacity", {"mean_ms": 3}),
)
ALLOWED = {int(code) for code in ExitCode}


def mutate(rng: random.Random, document: Any) -> Any:
    """A copy of ``document`` with one to three places dropped, doubled, renamed or replaced by junk."""
    changed = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(changed))
        if places:
            holder, key = rng.choice(places)
            _edit(rng, holder, key)
    return changed


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item)


def _edit(rng: random.Random, holder: Any, key: Any) -> None:
    kind = rng.choice(("drop", "junk", "junk", "scale", "rename"))
    if kind == "drop":
        del holder[key]
    elif kind == "scale" and isinstance(holder[key], int | float):
        holder[key] = holder[key] * rng.choice((-1, 0, 1e-9, 1e-3, 1e3, 1e9, 1.0000001))
    elif kind == "rename" and isinstance(holder, dict):
        holder[rng.choice([item for item in JUNK if isinstance(item, str)])] = holder.pop(key)
    else:
        holder[key] = copy.deepcopy(rng.choice(JUNK))


def run_once(seed: int, folder: Path, instance: Any, plan: Any) -> tuple[str, int]:
    """One command on mutated files; its name and its exit code. Whatever it raises is a defect and is passed on."""
    rng = random.Random(seed)
    mutated_instance = mutate(rng, instance) if rng.random() < 0.8 else instance
    mutated_plan = mutate(rng, plan) if rng.random() < 0.5 else plan
    (folder / "FILE").write_text(json.dumps(mutated_instance))
    (folder / "PLAN").write_text(json.dumps(mutated_plan))
    command = rng.choice(COMMANDS)
    arguments = [str(folder / word) if word in ("FILE", "PLAN") else word for word in command]
    if command[0] in ("plan", "explain"):
        arguments += ["--time-limit", "1"] if command[0] == "plan" else []
    if rng.random() < 0.1:
        arguments += rng.choice(FLAGS)
    silent = io.StringIO()
    quiet = contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent), warnings.catch_warnings()
    with quiet[0], quiet[1], quiet[2], contextlib.chdir(folder):  # export writes where it stands
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
    """Exit codes by command, and the failures with their seeds."""
    instance, plan = sources()
    codes: Counter[tuple[str, int]] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(seed, seed + runs):
            try:
                command, code = run_once(number, Path(name), instance, plan)
            except Exception as error:
                failures.append(f"--seed {number}: {type(error).__name__}: {error}")
                continue
            codes[command, code] += 1
            if code not in ALLOWED:
                failures.append(f"--seed {number}: {command} ends with exit code {code}")
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
    print(*failures, f"{sum(codes.values())} runs, {len(failures)} failures", sep="\n")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
