"""Hardware, profiles, pipelines and plans; their files; the shipped workloads and generators.

`Instance` is what a method is given, `Plan` is what it returns. Names of this list are loaded when first used, so
that a start-up pays only for what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harpagon.instances.errors import InputError
from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.plan import DispatchTuple, ModulePlan, PipelinePlan, Plan
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from harpagon.instances.files import from_document, instance_document, read_instance, write_instance
    from harpagon.instances.generate import random_instance
    from harpagon.instances.plan_files import Certificate, plan_document, read_plan, write_plan

_LAZY = {
    "Certificate": "plan_files",
    "from_document": "files",
    "instance_document": "files",
    "plan_document": "plan_files",
    "random_instance": "generate",
    "read_instance": "files",
    "read_plan": "plan_files",
    "write_instance": "files",
    "write_plan": "plan_files",
}

__all__ = [
    "Billing",
    "Certificate",
    "Configuration",
    "Dispatch",
    "DispatchTuple",
    "Hardware",
    "InputError",
    "Instance",
    "ModulePlan",
    "Pipeline",
    "PipelinePlan",
    "Plan",
    "from_document",
    "instance_document",
    "plan_document",
    "random_instance",
    "read_instance",
    "read_plan",
    "write_instance",
    "write_plan",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
