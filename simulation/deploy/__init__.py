"""Plans as files for the systems that serve them: Triton, Ray Serve, Kubernetes.

It stands beside the simulator because both run a plan: what a target's own batcher and router do decides which latency
holds (docs/deploy.md has the proofs). `targets` says which plans a target keeps, `bundle` writes its files.
The names of ``__init__.pyi`` load when they are used: the command line takes the targets' names from here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
