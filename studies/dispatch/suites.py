"""Which workloads a study runs on: the options that say so, and what they choose."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harpagon.instances.library.suites import spread, suite_workloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.library.workloads import Workload


def suite_parser(study: str, description: str | None, instances: int | None = None) -> argparse.ArgumentParser:
    """Parser of ``python -m studies.dispatch.STUDY`` with its suite and how many of it; None for the whole suite."""
    parser = argparse.ArgumentParser(prog=f"python -m studies.dispatch.{study}", description=description)
    parser.add_argument("--suite", default="smoke", help="name of a shipped suite")
    help_text = "so many workloads, spread evenly over the suite"
    parser.add_argument("--instances", type=int, default=instances, metavar="N", help=help_text)
    return parser


def chosen_workloads(options: argparse.Namespace) -> Sequence[Workload]:
    """The workloads that the options of `suite_parser` name."""
    workloads = suite_workloads(options.suite)
    return spread(workloads, options.instances) if options.instances else workloads
