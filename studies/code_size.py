"""Lines of the package as it ships, those of code, and of its functions' bodies: ``python -m studies.code_size``."""

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


def code_lines(text: str) -> int:
    """Lines that are neither blank nor part of a comment, a documentation string or an import."""
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"}
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def main() -> None:
    """Print all three."""
    texts = [path.read_text() for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    lengths = sorted(length for text in texts for length in body_lengths(text))
    whole, code = sum(text.count("\n") for text in texts), sum(map(code_lines, texts))
    print(f"{whole} lines in {len(texts)} files, {code} of them code")
    median, ninth = statistics.median(lengths), statistics.quantiles(lengths, n=10)[-1]
    print(f"{len(lengths)} functions: median {median:g}, 90th percentile {ninth:g}, longest {lengths[-1]}")


if __name__ == "__main__":
    main()
