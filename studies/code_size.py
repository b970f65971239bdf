"""Lines of the package as it ships, and of the bodies of its functions: ``python -m studies.code_size``."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGES = ("graphs", "instances", "formulations", "heuristics", "solvers", "simulation", "evaluation", "src")


def body_lengths(text: str) -> Iterator[int]:
    """Lines of every function's body without its docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            yield (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def main() -> None:
    """Print both."""
    texts = [path.read_text() for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    lengths = sorted(length for text in texts for length in body_lengths(text))
    print(f"{sum(text.count(chr(10)) for text in texts)} lines in {len(texts)} files")
    median, ninth = statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1]
    print(f"{len(lengths)} functions: median {median:g}, 90th percentile {ninth:g}, longest {lengths[-1]}")


if __name__ == "__main__":
    main()
