"""Shared fixtures: the worked example of the docs, built in code."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import settings

from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("repeatable", derandomize=True)
"""Examples that follow from the code alone, so that what lands does not depend on luck: `.ci/run`."""
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt here, and by default in children, even where the parent of pytest ignores it.

    A shell starts background jobs with SIGINT ignored; Python and what it starts then ignore it as well.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def worked_example() -> Instance:
    """One module, 198 req/s, SLO 1 s; b=2 d=0.1, b=8 d=0.25, b=32 d=0.8, price 1 (Harpagon's example [R])."""
    profile = tuple(Configuration("gpu", b, d, 1.0) for b, d in ((2, 0.1), (8, 0.25), (32, 0.8)))
    graph = nx.DiGraph()
    graph.add_node("detect", model="detector", join="all")
    return Instance(
        name="worked-example",
        billing=Billing.FRACTIONAL,
        hardware={"gpu": Hardware("gpu", 1.0)},
        profiles={"detector": profile},
        pipelines=(Pipeline("example", 198.0, 1.0, graph),),
    )
