"""Plan how to serve a pipeline of DNN models for the least money under a latency objective.

Everything public is imported from here, and loaded when it is first used, so ``import harpagon`` costs next to nothing.
The names stand in ``__init__.pyi``; ``docs/api.md`` describes each.

Examples
--------
>>> import harpagon
>>> result = harpagon.solve(harpagon.read_instance("worked-example"), method="exact")
>>> result.plan.cost, result.termination
(5.0, <Termination.OPTIMAL: 'optimal'>)
"""

from importlib import import_module

import lazy_loader

_attribute, _names, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("harpagon")
    return _attribute(name)


def __dir__() -> list[str]:
    return sorted([*_names(), "__version__"])
