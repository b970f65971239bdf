"""What is chosen from under ``shared`` billing: schedules of a module's own, and groups on machines of every type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harpagon.formulations.bounds import cost_floor
from harpagon.formulations.physics import RATE_TOLERANCE, TIME_TOLERANCE
from harpagon.formulations.planning.data import PlanningData
from harpagon.formulations.planning.pattern import Column
from harpagon.formulations.planning.shared import SharedData
from harpagon.formulations.problem import model_names, module_spans
from harpagon.formulations.shared import groups, machines_of_a_mix
from harpagon.instances.plan import machines_used
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.enumeration.combinations import pareto
from harpagon.solvers.enumeration.schedules import Option
from harpagon.solvers.exact.frontier import frontier, step_below
from harpagon.solvers.exact.pricing import Pricing
from harpagon.solvers.exact.schedule import distinct_schedules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harpagon.formulations.planning.shared import MixColumn
    from harpagon.formulations.problem import PipelineProblem
    from harpagon.formulations.shared import Group
    from harpagon.instances.instance import Instance
    from harpagon.solvers.exact.effort import Effort
    from harpagon.solvers.exact.schedule import Point


@dataclass(frozen=True, slots=True)
class SharedProblem:
    """An instance compiled for plans of at most ``budget`` dollars per hour.

    Attributes
    ----------
    data
        Modules of all pipelines in one list, their bounds, limits and edges.
    models
        Per module the name of its model.
    groups
        Hardware type to the groups that each module can be on it.
    """

    instance: Instance
    data: PlanningData
    models: tuple[str, ...]
    groups: Mapping[str, tuple[tuple[Group, ...], ...]]
    budget: float

    @property
    def machines(self) -> int:
        """Machines of every mix, those in spare included."""
        return machines_of_a_mix(self.data.modules)

    @classmethod
    def compile(cls, instance: Instance, problems: tuple[PipelineProblem, ...], budget: float) -> Self:
        """Compile pipelines that all have a plan, hardware limits left aside."""
        data = PlanningData.compile(instance, problems, Billing.WHOLE, Dispatch.PACED, budget)
        found = [groups(m, bound.latest) for m, bound in zip(data.modules, data.bounds, strict=True)]
        types = [name for name, hardware in instance.hardware.items() if hardware.limit != 0]
        by_type = {
            name: tuple(tuple(one for one in own if one.configuration.hardware == name) for own in found)
            for name in types
        }
        return cls(instance, data, model_names(instance, problems), by_type, budget)

    def master(self, owned: Iterable[tuple[Column, ...]], mixes: Iterable[MixColumn]) -> SharedData:
        """The master over these schedules of every module and these mixes."""
        data = self.data
        pipelines = tuple(p for p, problem in enumerate(data.problems) for _ in problem.modules)
        return SharedData(tuple(owned), tuple(mixes), pipelines, data.slo, data.edges, data.sinks, data.limits)

    def keeps_objectives(self, latencies: Mapping[int, float]) -> bool:
        """Whether every path can keep its SLO, modules without a latency here at their smallest."""
        own = [latencies.get(m, bound.earliest) for m, bound in enumerate(self.data.bounds)]
        return all(
            problem.network.length(own[begin:end]) <= problem.slo + TIME_TOLERANCE / 2
            for problem, (begin, end) in zip(self.data.problems, module_spans(self.data.problems), strict=True)
        )

    def cap(self, m: int) -> float:
        """Dollars per hour that a plan within the budget spends on machines of module ``m`` alone, at most.

        Every other module takes at least its `cost_floor`, on machines of its own or by its share of a shared one.
        """
        floors = [cost_floor(module) for module in self.data.modules]
        return (self.budget - sum(floors) + floors[m]) * (1 + RATE_TOLERANCE)

    def owned(self, m: int, effort: Effort) -> tuple[Column, ...]:
        """Schedules of module ``m`` alone that none beats in cost, latency and use of limited types.

        Raises
        ------
        OutOfEffortError
            Where ``effort`` is used up.
        """
        module, limits = self.data.modules[m], self.data.limits
        latest = self.data.bounds[m].latest + TIME_TOLERANCE / 2
        if any(c.hardware in limits for c in module.configurations):
            points = _distinct(self, m, latest, effort)
        else:
            points = frontier(module, latest, Billing.WHOLE, Dispatch.PACED, self.cap(m), effort=effort)
        options = [Option(p.cost, p.latency, self._usage(p), p.schedule) for p in points]
        within = [one for one in options if all(map(_at_most, one.usage, limits.values()))]
        return tuple(Column(o.cost, o.latency, o.usage, o.content) for o in pareto(within))  # type: ignore[arg-type]

    def _usage(self, point: Point) -> tuple[float, ...]:
        used = machines_used(point.schedule)
        return tuple(used.get(name, 0.0) for name in self.data.limits)


def _distinct(problem: SharedProblem, m: int, budget: float, effort: Effort) -> Iterator[Point]:
    """Schedules at one latency budget after another, from the loosest to the tightest that has any."""
    pricing = Pricing({}, tuple(problem.data.limits))
    module, cap = problem.data.modules[m], problem.cap(m)
    while True:
        points = distinct_schedules(module, budget, Billing.WHOLE, Dispatch.PACED, cap, pricing, effort)
        if not points:
            return
        yield from points
        budget = min(step_below(max(point.latency for point in points)), step_below(budget))


def _at_most(used: float, limit: int) -> bool:
    return used <= limit
