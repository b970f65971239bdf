"""What made a row: the code that ran and the solvers under it, as digests."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harpagon.solvers.methods import METHODS

LAYERS = ("graphs", "instances", "formulations", "heuristics", "solvers", "evaluation.sweep")
"""Packages whose code a row may come from."""
SOLVERS = ("highspy", "ortools", "pyomo", "numpy", "networkx")


def provenance(method: str) -> list[str]:
    """Digest of the sources of this package, revision of a method from elsewhere, and versions of the solvers."""
    revision = METHODS[method].revision if method in METHODS else ""
    return [sources_digest(), revision, *solver_versions()]


@cache
def sources_digest() -> str:
    """SHA-256 over every module of `LAYERS`, as it was when this process first asked."""
    found = hashlib.sha256()
    for layer in LAYERS:
        package = import_module(f"harpagon.{layer}")
        for folder in map(Path, package.__path__):
            for path in sorted(folder.rglob("*.py")):
                found.update(f"{layer}/{path.relative_to(folder)}".encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@cache
def solver_versions() -> tuple[str, ...]:
    """Name and version of every library that a method may solve with."""
    return tuple(f"{name} {_version(name)}" for name in SOLVERS)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
