"""A pipeline with model variants: detect with one of five YOLOv5 models, classify with one of five ResNets.

Accuracies are the published ones: YOLOv5 v7.0 (mAP 50-95 on COCO) and torchvision (top-1 on ImageNet, first weights).
Batch durations are stand-ins: Sponge's YOLO refit times the published ratio of work, which is batch-1 CPU latency for
YOLOv5 (n = 1) and GFLOPs for the ResNets (4.5 GFLOPs = 1, those of YOLOv5n).
"""

from __future__ import annotations

import networkx as nx

from harpagon.formulations.sponge.core_latency import SPONGE_REFIT, CoreLatency
from harpagon.instances.cpu.instance import core_instance
from harpagon.instances.instance import Instance, Pipeline
from harpagon.solvers.sensitivity.variants import ModelVariant

_DETECTORS = {
    "yolov5n": (0.280, 45 / 45),
    "yolov5s": (0.374, 98 / 45),
    "yolov5m": (0.454, 224 / 45),
    "yolov5l": (0.490, 430 / 45),
    "yolov5x": (0.507, 766 / 45),
}
_CLASSIFIERS = {
    "resnet18": (0.69758, 1.81 / 4.5),
    "resnet34": (0.73314, 3.66 / 4.5),
    "resnet50": (0.76130, 4.09 / 4.5),
    "resnet101": (0.77374, 7.80 / 4.5),
    "resnet152": (0.78312, 11.51 / 4.5),
}


def variant_pipeline(rate: float = 20.0, slo: float = 1.0) -> tuple[Instance, dict[str, tuple[ModelVariant, ...]]]:
    """The instance (``rate`` req/s, ``slo`` seconds, the smallest models) and the variants of its two modules."""
    models = {**_DETECTORS, **_CLASSIFIERS}
    profiles = {
        model: _scaled(work).profile(model, range(1, 17), (1, 2, 4, 8, 16)) for model, (_, work) in models.items()
    }
    graph = nx.DiGraph()
    graph.add_node("detect", model="yolov5n", join="all")
    graph.add_node("classify", model="resnet18", join="all")
    graph.add_edge("detect", "classify", fanout=1.0, transfer=0.0)
    instance = core_instance("variants", profiles, Pipeline("variants", rate, slo, graph))
    variants = {
        "detect": tuple(ModelVariant(model, accuracy) for model, (accuracy, _) in _DETECTORS.items()),
        "classify": tuple(ModelVariant(model, accuracy) for model, (accuracy, _) in _CLASSIFIERS.items()),
    }
    return instance, variants


def _scaled(work: float) -> CoreLatency:
    return CoreLatency(
        SPONGE_REFIT.gamma * work, SPONGE_REFIT.delta * work, SPONGE_REFIT.epsilon * work, SPONGE_REFIT.eta * work
    )
