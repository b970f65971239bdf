"""The two pipelines of the SLOpt study, from the profile library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from harpagon.instances.errors import InputError
from harpagon.instances.instance import Instance, Pipeline
from harpagon.instances.library.applications import application
from harpagon.instances.library.profiles import library, library_hardware
from harpagon.instances.policies import Billing

if TYPE_CHECKING:
    from collections.abc import Callable

PEAKS = {"video": 1800.0, "social": 1250.0}
"""Requests per second at which the pipeline's plan takes about 55 of 64 machines."""


def slopt_instance(name: str) -> Instance:
    """``video`` or ``social`` on all hardware of the library, at its peak rate.

    Raises
    ------
    InputError
        Where the name is neither.
    """
    if name not in _PIPELINES:
        raise InputError(name, "", "is no pipeline of the SLOpt study", f"Give {' or '.join(_PIPELINES)}")
    graph, slo = _PIPELINES[name]()
    profiles = {model: library()[model] for _, model in graph.nodes(data="model")}
    used = {item.hardware for profile in profiles.values() for item in profile}
    hardware = {key: item for key, item in library_hardware().items() if key in used}
    return Instance(name, Billing.WHOLE, hardware, profiles, (Pipeline(name, PEAKS[name], slo, graph),))


def _video() -> tuple[nx.DiGraph, float]:
    """Video analysis: the shipped application ``traffic``, SLO 600 ms."""
    return application("traffic").graph.copy(), 0.6


def _social() -> tuple[nx.DiGraph, float]:
    """Social media: a post's text is screened, its pictures are tagged and its text translated, the post is ranked,
    and some posts are read aloud. SLO 800 ms. Stand-ins from the library: BERT for text, SE-ResNeXt for pictures."""
    graph = nx.DiGraph()
    models = {
        "screen": "bert-base-seq128",
        "tag": "se-resnext101-32x4d",
        "translate": "bert-large-seq128",
        "rank": "bert-base-seq128",
        "speak": "hifigan",
    }
    for module, model in models.items():
        graph.add_node(module, model=model, join="all")
    edges = {("screen", "tag"): 1.5, ("screen", "translate"): 1.0, ("tag", "rank"): 1.0, ("translate", "rank"): 1.0}
    for (tail, head), fanout in {**edges, ("rank", "speak"): 0.25}.items():
        graph.add_edge(tail, head, fanout=fanout, transfer=0.0)
    return graph, 0.8


_PIPELINES: dict[str, Callable[[], tuple[nx.DiGraph, float]]] = {"video": _video, "social": _social}
PIPELINES = tuple(_PIPELINES)
"""Names that `slopt_instance` knows."""
