"""Kubernetes: one Deployment per tuple, a headless Service per module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.simulation.deploy.tuples import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.deploy.tuples import ServedTuple

NODE_LABEL = "harpagon/hardware"
"""Label by which nodes are selected: ``kubectl label node NODE harpagon/hardware=a100``."""
_GPU = "nvidia.com/gpu"
_PORT = 8000


def kubernetes_files(tuples: Sequence[ServedTuple]) -> dict[str, str]:
    """Path to text of one manifest per module."""
    import yaml

    modules: dict[str, list[dict[str, Any]]] = {}
    for part in tuples:
        name = slug(part.pipeline, part.module)
        modules.setdefault(name, [_service(name)]).append(_deployment(name, part))
    return {f"{name}.yaml": yaml.safe_dump_all(parts, sort_keys=False) for name, parts in modules.items()}


def _service(module: str) -> dict[str, Any]:
    """Headless: its name resolves to all pods, and the caller deals requests to them in turn."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": module},
        "spec": {"clusterIP": "None", "selector": {"module": module}, "ports": [{"name": "http", "port": _PORT}]},
    }


def _deployment(module: str, part: ServedTuple) -> dict[str, Any]:
    name = slug(module, part.hardware, part.label)
    labels = {"module": module, "tuple": name}
    pod = {
        "nodeSelector": {NODE_LABEL: slug(part.hardware)},
        "containers": [_container(part)],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": part.machines,
            "selector": {"matchLabels": {"tuple": name}},
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }


def _container(part: ServedTuple) -> dict[str, Any]:
    resources = {_GPU: "1"} if part.cores is None else {"cpu": str(part.cores)}
    environment = {"MAX_BATCH_SIZE": str(part.batch), "MAX_QUEUE_DELAY_MICROSECONDS": str(part.wait)}
    container: dict[str, Any] = {
        "name": "server",
        "image": f"{slug(part.model)}:latest",
        "ports": [{"name": "http", "containerPort": _PORT}],
        "resources": {"limits": resources},
    }
    if not part.is_capacity:
        container["env"] = [{"name": key, "value": value} for key, value in environment.items()]
    return container
