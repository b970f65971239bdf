"""Which workloads a study runs on: the options that say so, and what they choose."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeVar

from harpagon.instances.library.suites import spread, suite, suite_names, suite_workloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.instance import Instance
    from harpagon.instances.library.workloads import Workload

T = TypeVar("T")


def suite_parser(study: str, description: str | None, instances: int | None = None) -> argparse.ArgumentParser:
    """Parser of ``python -m studies.STUDY`` with its suite and how many of it; None for the whole suite."""
    parser = argparse.ArgumentParser(prog=f"python -m studies.{study}", description=description)
    parser.add_argument("--suite", default="smoke", choices=suite_names(), help="name of a shipped suite")
    help_text = "so many workloads, spread evenly over the suite"
    parser.add_argument("--instances", type=int, default=instances, metavar="N", help=help_text)
    return parser


def chosen_workloads(options: argparse.Namespace) -> Sequence[Workload]:
    """The workloads that the options of `suite_parser` name."""
    return _spread(suite_workloads(options.suite), options)


def chosen_instances(options: argparse.Namespace) -> Sequence[Instance]:
    """The same as instances."""
    return _spread(suite(options.suite), options)


def _spread(members: Sequence[T], options: argparse.Namespace) -> Sequence[T]:
    return spread(members, options.instances) if options.instances else members
