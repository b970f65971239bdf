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
    from harpagon.instances.files.instances import from_document, instance_document, read_instance, write_instance
    from harpagon.instances.files.plans import Certificate, plan_document, read_plan, write_plan
    from harpagon.instances.generate import random_instance
    from harpagon.instances.library.applications import Application, application, application_names
    from harpagon.instances.library.make import make_instances
    from harpagon.instances.library.profiles import library_hardware, prices
    from harpagon.instances.library.shipped import example, example_names, resolve, worked_example
    from harpagon.instances.library.suites import suite, suite_names, suite_workloads
    from harpagon.instances.library.workloads import Workload
    from harpagon.instances.reference import reference_latency

_LAZY = {
    "Application": "library.applications",
    "Certificate": "files.plans",
    "Workload": "library.workloads",
    "application": "library.applications",
    "application_names": "library.applications",
    "example": "library.shipped",
    "example_names": "library.shipped",
    "from_document": "files.instances",
    "instance_document": "files.instances",
    "library_hardware": "library.profiles",
    "make_instances": "library.make",
    "plan_document": "files.plans",
    "prices": "library.profiles",
    "random_instance": "generate",
    "read_instance": "files.instances",
    "read_plan": "files.plans",
    "reference_latency": "reference",
    "resolve": "library.shipped",
    "suite": "library.suites",
    "suite_names": "library.suites",
    "suite_workloads": "library.suites",
    "worked_example": "library.shipped",
    "write_instance": "files.instances",
    "write_plan": "files.plans",
}

__all__ = [
    "Application",
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
    "Workload",
    "application",
    "application_names",
    "example",
    "example_names",
    "from_document",
    "instance_document",
    "library_hardware",
    "make_instances",
    "plan_document",
    "prices",
    "random_instance",
    "read_instance",
    "read_plan",
    "reference_latency",
    "resolve",
    "suite",
    "suite_names",
    "suite_workloads",
    "worked_example",
    "write_instance",
    "write_plan",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
