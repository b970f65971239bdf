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
    from harpagon.instances.applications import Application, application, application_names
    from harpagon.instances.files import from_document, instance_document, read_instance, write_instance
    from harpagon.instances.generate import random_instance
    from harpagon.instances.library import library_hardware, prices
    from harpagon.instances.make import make_instances
    from harpagon.instances.plan_files import Certificate, plan_document, read_plan, write_plan
    from harpagon.instances.reference import reference_latency
    from harpagon.instances.shipped import example, example_names, resolve, worked_example
    from harpagon.instances.suites import suite, suite_names, suite_workloads
    from harpagon.instances.workloads import Workload

_LAZY = {
    "Application": "applications",
    "Certificate": "plan_files",
    "Workload": "workloads",
    "application": "applications",
    "application_names": "applications",
    "example": "shipped",
    "example_names": "shipped",
    "from_document": "files",
    "instance_document": "files",
    "library_hardware": "library",
    "make_instances": "make",
    "plan_document": "plan_files",
    "prices": "library",
    "random_instance": "generate",
    "read_instance": "files",
    "read_plan": "plan_files",
    "reference_latency": "reference",
    "resolve": "shipped",
    "suite": "suites",
    "suite_names": "suites",
    "suite_workloads": "suites",
    "worked_example": "shipped",
    "write_instance": "files",
    "write_plan": "plan_files",
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
