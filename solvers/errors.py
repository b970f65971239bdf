"""What a method did wrong: a plan that the checker refuses, or a failure of a method registered from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harpagon.formulations.checker import Violation


class CheckFailedError(RuntimeError):
    """A method returned a plan that the independent checker refuses: a defect of the method.

    Attributes
    ----------
    method
        Name of the method.
    violations
        What the checker found.
    """

    def __init__(self, method: str, violations: tuple[Violation, ...]) -> None:
        super().__init__(method, violations)
        self.method = method
        self.violations = violations

    def __str__(self) -> str:
        faults = "; ".join(map(str, self.violations))
        return f"the plan of method {self.method!r} fails the independent check: {faults}"


class MethodFailedError(RuntimeError):
    """A registered method raised an error, or returned what is no plan; a defect of that method.

    Attributes
    ----------
    method
        Its name.
    instance
        Name of the instance it failed on.
    problem
        What happened, and where.
    """

    def __init__(self, method: str, instance: str, problem: str) -> None:
        super().__init__(method, instance, problem)
        self.method = method
        self.instance = instance
        self.problem = problem

    def __str__(self) -> str:
        return f"registered method {self.method!r} fails on {self.instance!r}: {self.problem}"
