"""Faults put into the code on purpose, and which of them no test of their own area notices.

    python -m studies.mutation                         hand-made faults, each of which must fail a test of its area
    python -m studies.mutation --sample 20 --seed 0    so many small mutations of every module in `AREAS`

A mutation changes one comparison, operator, constant, condition or call of `min` and `max`. Nothing on disk changes:
each run of pytest is a fork in which the one module is compiled from changed text. What survives is printed with its
line. General tools (mutmut, cosmic-ray) rewrite files of a package in one folder, which this layout is not.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
PATIENCE = 5.0
"""Times as long as the tests take without a fault: a run that takes longer has noticed it."""
_SIMULATION = tuple(f"simulation/test_{name}.py" for name in ("joins", "measure", "dispatch", "pipelines"))
_ENGINE = tuple(f"simulation/test_{name}.py" for name in ("slopt_execution", "sponge_simulation", "sponge_pipelines"))
_CURVES = ("solvers/test_curve_moments.py",)
AREAS: dict[str, tuple[str, ...]] = {
    "graphs/rates.py": ("graphs",),
    "graphs/paths.py": ("graphs",),
    "graphs/leading_edges.py": ("graphs",),
    "graphs/series_parallel.py": ("graphs",),
    "formulations/physics.py": ("formulations/test_physics.py", "formulations/test_checker.py"),
    "formulations/checker.py": (
        "formulations/test_checker_faults.py",
        "formulations/test_checker.py",
        "formulations/test_paced.py",
    ),
    "formulations/waves.py": ("formulations/test_waves.py",),
    "formulations/paced.py": ("formulations/test_paced.py",),
    "solvers/exact/pipeline.py": ("solvers/test_limits.py", "solvers/test_exact.py"),
    "solvers/exact/composition.py": ("solvers/test_composition.py", "solvers/test_limits.py", "solvers/test_exact.py"),
    "solvers/exact/layered_climb.py": (
        "solvers/test_layered_climb.py",
        "solvers/test_limits.py",
        "solvers/test_exact.py",
    ),
    "solvers/exact/curve_table.py": _CURVES,
    "solvers/exact/grid_prices.py": _CURVES,
    "solvers/exact/curve_pricing.py": _CURVES,
    "solvers/exact/point_master.py": _CURVES,
    "simulation/flow/joins.py": ("simulation/test_joins.py", "simulation/test_pipelines.py"),
    "simulation/flow/fanout.py": ("simulation/test_fanout.py", "simulation/test_joins.py"),
    "simulation/flow/closings.py": ("simulation/test_joins.py", "simulation/test_queues.py", *_ENGINE),
    "simulation/flow/engine.py": (*_ENGINE, *_SIMULATION),
    "simulation/flow/queues.py": ("simulation/test_queues.py", *_ENGINE),
    "simulation/flow/fleet.py": _ENGINE,
    "simulation/flow/drop.py": ("simulation/test_drop.py", "simulation/test_slopt_execution.py"),
    "simulation/flow/order.py": ("simulation/test_queues.py", "simulation/test_slopt_systems.py"),
    "simulation/flow/server.py": ("simulation/test_server.py", *_ENGINE, "simulation/test_slopt_systems.py"),
    "simulation/measure.py": _SIMULATION,
    "simulation/dispatch/lanes.py": _SIMULATION,
    "simulation/dispatch/open_batches.py": _SIMULATION,
}
"""Module to the tests of its area, below ``tests/``, the quick ones first."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault made by hand: ``new`` in the place of ``old``, and the tests that must notice."""

    module: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = {
    "join: all goes on with its first input": Fault(
        "simulation/flow/joins.py",
        "np.maximum(ready[present], flow.ready[taken[present]])",
        "np.minimum(ready[present], flow.ready[taken[present]])",
        ("simulation/test_joins.py", "simulation/test_pipelines.py"),
    ),
    "fan-out rounded down": Fault(
        "simulation/flow/fanout.py",
        "whole * self._numerator - (-rest * self._numerator) // self._denominator",
        "whole * self._numerator + (rest * self._numerator) // self._denominator",
        ("simulation/test_fanout.py",),
    ),
    "a result at 1.01 SLO is not late": Fault(
        "simulation/measure.py",
        "latencies > self._slo + ROUNDING",
        "latencies > 1.01 * self._slo + ROUNDING",
        ("simulation/test_measure.py",),
    ),
    "half the excess in _deepen": Fault(
        "solvers/exact/pipeline.py",
        "            excess = _cost(best) - floor\n            for search",
        "            excess = (_cost(best) - floor) / 2\n            for search",
        ("solvers/test_exact.py",),
    ),
    "tc-safe: dominance without saturation": Fault(
        "solvers/exact/layered_climb.py",
        "        return saturated\n",
        "        return True\n",
        ("solvers/test_dominance.py",),
    ),
    "bound := cost after a time-out": Fault(
        "solvers/models/model_method.py",
        "dual_bound=min(result.dual_bound, incumbent.cost),",
        "incumbent.cost,",
        ("solvers/test_statuses.py",),
    ),
    "order of tc-safe unchecked": Fault(
        "formulations/checker.py",
        "has_ratio_order(dispatch) and",
        "has_ratio_order(dispatch) and dispatch == 'tc' and",
        ("formulations/test_checker.py",),
    ),
    "dispatch prices over another reference": Fault(
        "studies/dispatch/study.py",
        "costs[w, billing, reference]",
        "costs[w, billing, Dispatch.TC]",
        ("evaluation/test_tables.py",),
    ),
}


class _Mutator(ast.NodeTransformer):
    """Changes the place of a number; counts all places where that is out of reach."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self.told = ""

    def visit(self, node: ast.AST) -> Any:
        for changed in _changes(node):
            if self.seen == self.wanted:
                self.told = f"{getattr(node, 'lineno', 0)}: {ast.unparse(node)}  ->  {ast.unparse(changed)}"
                self.seen += 1
                return ast.copy_location(changed, node)
            self.seen += 1
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Leave docstrings alone."""
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)


_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "floor": "ceil"}
_CALLED |= {"maximum": "minimum", "minimum": "maximum"}


def _changes(node: ast.AST) -> Iterator[ast.expr]:
    """What may stand in the place of an expression."""
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=others) if type(operator) in _COMPARED:
            yield ast.Compare(left, [_COMPARED[type(operator)]()], others)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _COMPUTED:
            yield ast.BinOp(left, _COMPUTED[type(operator)](), right)
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _CALLED:
            yield ast.Call(ast.Name(_CALLED[name], ast.Load()), args, keywords)
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args, keywords=keywords) if name in _CALLED:
            yield ast.Call(ast.Attribute(owner, _CALLED[name], ast.Load()), args, keywords)


def mutate(source: str, place: int) -> tuple[ast.Module, str]:
    """The text with its change of this number, and what was changed; nothing where there are fewer places."""
    mutator = _Mutator(place)
    tree = ast.fix_missing_locations(mutator.visit(ast.parse(source)))
    return tree, mutator.told


def places(source: str) -> int:
    """Number of changes that there are."""
    mutator = _Mutator(sys.maxsize)
    mutator.visit(ast.parse(source))
    return mutator.seen


class _Changed(SourceFileLoader):
    """Finds one module, compiled from changed text."""

    def __init__(self, path: Path, tree: ast.Module | str) -> None:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        super().__init__(name if name.startswith("studies.") else f"harpagon.{name}", str(path))
        self._tree = tree

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None

    def get_code(self, fullname: str) -> Any:
        return compile(self._tree, self.path, "exec")


def passes(tests: Sequence[str], finder: _Changed | None, limit: float) -> bool:
    """Whether the tests pass, in a fork, with one module changed; False where they take longer than ``limit``."""
    child = os.fork()
    if child == 0:
        os._exit(_run_tests(tests, finder))
    end = time.perf_counter() + limit
    while time.perf_counter() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_tests(tests: Sequence[str], finder: _Changed | None) -> int:
    import pytest

    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    if finder is not None:
        sys.meta_path.insert(0, finder)
    paths = [str(ROOT / "tests" / test) for test in tests]
    try:
        return int(pytest.main(["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *paths]))
    except BaseException:
        return 3


def unnoticed_faults() -> list[str]:
    """Names of the hand-made faults that the tests of their area do not notice; a line is printed for each."""
    survivors = []
    for name, fault in FAULTS.items():
        source = (ROOT / fault.module).read_text()
        if source.count(fault.old) != 1:
            raise ValueError(f"{fault.module} does not have the text of the fault {name!r} once")
        finder = _Changed(ROOT / fault.module, source.replace(fault.old, fault.new))
        noticed = [test for test in fault.tests if not passes([test], finder, 600.0)]
        print(f"{name}: {'noticed by ' + ', '.join(noticed) if noticed else 'NOT NOTICED'}", flush=True)
        survivors += [] if noticed else [name]
    return survivors


def survivors(module: str, sample: int, rng: random.Random) -> list[str]:
    """Mutations of a module, up to ``sample`` of them, that the tests of its area do not notice."""
    source, tests = (ROOT / module).read_text(), AREAS[module]
    begin = time.perf_counter()
    if not passes(tests, None, 600.0):
        raise ValueError(f"the tests of {module} fail without a mutation")
    limit = 10.0 + PATIENCE * (time.perf_counter() - begin)
    total = places(source)
    chosen = sorted(rng.sample(range(total), min(sample, total)))
    found = []
    for place in chosen:
        tree, told = mutate(source, place)
        if passes(tests, _Changed(ROOT / module, tree), limit):
            print(f"  survives {module}:{told}", flush=True)
            found.append(told)
    print(f"{module}: {len(chosen) - len(found)} of {len(chosen)} noticed, {total} places", flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of this study; 1 where a hand-made fault is not noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=0, help="mutations of every module; 0 for the hand-made faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("modules", nargs="*", help="of `AREAS`; all unless given")
    options = parser.parse_args(arguments)
    os.environ["HYPOTHESIS_PROFILE"] = "repeatable"
    os.chdir(ROOT)
    import hypothesis
    import networkx
    import numpy
    import pandas
    import pytest  # noqa: F401

    del hypothesis, networkx, numpy, pandas  # loaded once, for all forks
    if not options.sample:
        return bool(unnoticed_faults())
    rng = random.Random(options.seed)
    for module in options.modules or AREAS:
        survivors(module, options.sample, rng)
    return 0


if __name__ == "__main__":
    sys.exit(main())
