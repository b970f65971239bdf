"""Plans as files for the systems that serve them: Triton, Ray Serve, Kubernetes.

It stands beside the simulator because both run a plan: what a target's own batcher and router do decides which latency
holds (docs/deploy.md has the proofs). `targets` says which plans a target keeps, `bundle` writes its files.
"""

from harpagon.simulation.deploy.bundle import deployment_files, write_deployment
from harpagon.simulation.deploy.targets import TARGETS, Target

__all__ = ["TARGETS", "Target", "deployment_files", "write_deployment"]
