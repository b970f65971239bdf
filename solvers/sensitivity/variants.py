"""Model variants with accuracy: which variant each module runs, with a floor on accuracy or as a frontier.

A pipeline's accuracy is the product of its modules' accuracies, as if their errors were independent. For every choice
of variants the planner gives a proven optimal cost; a choice is left out only where a bound proves it dominated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from harpagon.formulations.physics import COST_TOLERANCE
from harpagon.formulations.problem import pipeline_problem
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.result import Result


@dataclass(frozen=True, slots=True)
class ModelVariant:
    """A model that can serve a module, key of a profile, and its accuracy as a share from 0 to 1."""

    model: str
    accuracy: float


@dataclass(frozen=True, slots=True)
class VariantPlan:
    """The cheapest plan of one choice of variants.

    Attributes
    ----------
    models
        Module to the model it runs.
    accuracy
        Product over the modules.
    plan
        Proven optimal for this choice.
    """

    models: Mapping[str, str]
    accuracy: float
    plan: Plan


def accuracy_frontier(
    instance: Instance, variants: Mapping[str, tuple[ModelVariant, ...]], solve: Callable[[Instance], Result]
) -> tuple[VariantPlan, ...]:
    """All choices that no other beats in both accuracy and cost, the cheapest of equals; accuracy ascending.

    Parameters
    ----------
    instance
        One pipeline; profiles for every variant.
    variants
        Module to its variants; a module left out keeps its model and counts with accuracy 1.
    solve
        An exact method.

    Raises
    ------
    RuntimeError
        Where ``solve`` ends without a proof.
    """
    found: list[VariantPlan] = []
    cheapest = math.inf
    choices = [_choice(instance, models, accuracy) for models, accuracy in _choices(instance, variants)]
    for choice in sorted(choices, key=lambda choice: (-choice.accuracy, choice.bound)):
        if choice.bound >= cheapest * (1 - COST_TOLERANCE):
            continue
        plan = _proven(solve(choice.instance))
        if plan is not None and plan.cost < cheapest * (1 - COST_TOLERANCE):
            cheapest = plan.cost
            found.append(VariantPlan(choice.models, choice.accuracy, plan))
    return tuple(_undominated(found))


@dataclass(frozen=True, slots=True)
class _Choice:
    """One choice of variants, and dollars per hour that none of its plans undercuts."""

    models: Mapping[str, str]
    accuracy: float
    instance: Instance
    bound: float


def _choices(
    instance: Instance, variants: Mapping[str, tuple[ModelVariant, ...]]
) -> Iterator[tuple[dict[str, str], float]]:
    """Every choice with its accuracy."""
    (pipeline,) = instance.pipelines
    kept = {name: data["model"] for name, data in pipeline.graph.nodes(data=True)}
    for chosen in product(*variants.values()):
        models = kept | {module: variant.model for module, variant in zip(variants, chosen, strict=True)}
        yield models, math.prod(variant.accuracy for variant in chosen)


def _choice(instance: Instance, models: Mapping[str, str], accuracy: float) -> _Choice:
    """The instance with these models; its bound gives every module its best throughput-cost ratio in full."""
    (pipeline,) = instance.pipelines
    graph = pipeline.graph.copy()
    for module, model in models.items():
        graph.nodes[module]["model"] = model
    chosen = replace(instance, pipelines=(replace(pipeline, graph=graph),))
    problem = pipeline_problem(chosen, chosen.pipelines[0])
    bound = sum(module.rate / max(c.ratio for c in module.configurations) for module in problem.modules)
    return _Choice(models, accuracy, chosen, bound)


def _proven(result: Result) -> Plan | None:
    """The optimal plan, or None where it is proven that there is none."""
    if result.termination not in (Termination.OPTIMAL, Termination.INFEASIBLE):
        raise RuntimeError(f"{result.method} stopped without a proof: {result.termination}")
    return result.plan


def _undominated(found: list[VariantPlan]) -> Iterator[VariantPlan]:
    """``found`` has falling accuracy and cost; of equal accuracies the last is the cheapest. Accuracy ascending."""
    for i in range(len(found) - 1, -1, -1):
        if i == len(found) - 1 or found[i].accuracy > found[i + 1].accuracy:
            yield found[i]
