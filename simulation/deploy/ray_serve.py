"""Ray Serve: one application per pipeline, one deployment per module, for ``serve deploy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.simulation.deploy.tuples import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.simulation.deploy.tuples import ServedTuple

ROUTER = "ray.serve.experimental.round_robin_router:RoundRobinRouter"
"""Deals requests to replicas in turn; the default router (power of two choices) does not."""


def ray_files(tuples: Sequence[ServedTuple]) -> dict[str, str]:
    """Path to text of ``serve.yaml``."""
    import yaml

    pipelines = dict.fromkeys(part.pipeline for part in tuples)
    applications = [_application(name, [part for part in tuples if part.pipeline == name]) for name in pipelines]
    return {"serve.yaml": yaml.safe_dump({"applications": applications}, sort_keys=False)}


def _application(pipeline: str, tuples: Sequence[ServedTuple]) -> dict[str, Any]:
    name = slug(pipeline)
    return {
        "name": name,
        "route_prefix": f"/{name}",
        "import_path": f"{name.replace('-', '_')}:app",
        "deployments": [_deployment(part) for part in tuples],
    }


def _deployment(part: ServedTuple) -> dict[str, Any]:
    """A replica holds a batch that runs, one that waits and one that fills: the router must never pass it over."""
    return {
        "name": slug(part.module),
        "num_replicas": part.machines,
        "max_ongoing_requests": 3 * part.batch,
        "user_config": {"max_batch_size": part.batch, "batch_wait_timeout_s": part.wait / 1e6},
        "ray_actor_options": _resources(part),
        "request_router_config": {"request_router_class": ROUTER},
    }


def _resources(part: ServedTuple) -> dict[str, Any]:
    if part.cores is not None:
        return {"num_cpus": part.cores}
    return {"num_gpus": 1, "accelerator_type": part.hardware}
