"""Scalers: Sponge, and the baselines it is compared with."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from harpagon.simulation.flow.order import Order

if TYPE_CHECKING:
    from harpagon.simulation.sponge.planner import IntervalPlanner, Observation
    from harpagon.simulation.sponge.server import Containers

START_UP = 10.0
"""Seconds until a new or restarted container serves [R]."""


class Scaler(Protocol):
    """Sets a fleet up and adapts it at the start of every interval."""

    order: Order

    def start(self, containers: Containers, seen: Observation) -> None:
        """Set the fleet up, ready to serve at time 0."""

    def adapt(self, containers: Containers, seen: Observation) -> None:
        """Change the fleet for the coming interval."""


@dataclass(slots=True)
class SpongeScaler:
    """One container whose cores change in place; earliest deadline first."""

    planner: IntervalPlanner
    order: Order = Order.DEADLINE

    def start(self, containers: Containers, seen: Observation) -> None:
        """One container with the cores the first decision asks for."""
        decision = self.planner.choose_or_all(seen)
        containers.start(decision.cores, decision.batch)

    def adapt(self, containers: Containers, seen: Observation) -> None:
        """Resize in place: a batch that runs ends as it began, the next one has the new cores."""
        decision = self.planner.choose_or_all(seen, containers.cores)
        containers.resize(decision.cores, decision.batch)


@dataclass(slots=True)
class StaticScaler:
    """One container whose cores never change; the batch size follows the load."""

    planner: IntervalPlanner
    cores: int
    order: Order = Order.ARRIVAL

    def start(self, containers: Containers, seen: Observation) -> None:
        """One container with ``cores`` cores."""
        containers.start(self.cores, 1)
        self.adapt(containers, seen)

    def adapt(self, containers: Containers, seen: Observation) -> None:
        """Choose the batch size for the cores there are."""
        containers.resize(self.cores, self.planner.on_cores(self.cores).choose_or_all(seen).batch)


@dataclass(slots=True)
class RestartScaler:
    """Vertical autoscaler that restarts its container to resize it (VPA) [R].

    It looks at arrivals, not at what waits, and asks for ``margin`` times the cores that the decision needs. It grows
    when the decision needs more cores than there are, and shrinks when for ``window`` seconds it asked for fewer. A
    restart takes ``start_up`` seconds in which nothing is served.
    """

    planner: IntervalPlanner
    order: Order = Order.ARRIVAL
    start_up: float = START_UP
    window: int = 60
    margin: float = 1.15
    _asked: deque[int] = field(default_factory=deque)
    _ready_at: float = 0.0

    def start(self, containers: Containers, seen: Observation) -> None:
        """One container with the cores the first decision asks for."""
        containers.start(self._ask(self._need(seen)), 1, start_up=self.start_up)
        self._choose_batch(containers, seen)

    def adapt(self, containers: Containers, seen: Observation) -> None:
        """Restart where the cores no longer fit, then choose the batch size for the cores there are."""
        need = self._need(seen)
        self._asked.append(self._ask(need))
        if len(self._asked) > self.window:
            self._asked.popleft()
        fewer = len(self._asked) == self.window and max(self._asked) < containers.cores
        if seen.time >= self._ready_at and (need > containers.cores or fewer):
            containers.cores = max(self._asked) if fewer else self._asked[-1]
            self._ready_at = containers.fleet.restart(seen.time)
        self._choose_batch(containers, seen)

    def _need(self, seen: Observation) -> int:
        return self.planner.choose_or_all(replace(seen, remaining=())).cores

    def _ask(self, need: int) -> int:
        """The smallest core count of the profile with the margin, the largest where none has it."""
        cores = self.planner.profile.cores
        return next((count for count in cores if count >= need * self.margin), cores[-1])

    def _choose_batch(self, containers: Containers, seen: Observation) -> None:
        containers.resize(containers.cores, self.planner.on_cores(containers.cores).choose_or_all(seen).batch)


@dataclass(slots=True)
class HorizontalScaler:
    """One-core replicas, more or fewer of them, each with a start-up delay (FA2) [R].

    The number is the largest that the decisions of the last ``start_up`` seconds asked for: a replica that has just
    started is not stopped before it served.
    """

    planner: IntervalPlanner
    max_replicas: int
    order: Order = Order.ARRIVAL
    start_up: float = START_UP
    _asked: deque[int] = field(default_factory=deque)

    def start(self, containers: Containers, seen: Observation) -> None:
        """As many replicas as the first decision asks for, ready to serve."""
        count, batch = self._replicas(seen)
        containers.start(1, batch, count, self.start_up)

    def adapt(self, containers: Containers, seen: Observation) -> None:
        """Start what is missing; stop first those that would be free last."""
        count, batch = self._replicas(seen)
        containers.resize(1, batch)
        self._asked.append(count)
        if len(self._asked) > self.start_up:
            self._asked.popleft()
        containers.fleet.resize(seen.time, max(self._asked), busiest=True)

    def _replicas(self, seen: Observation) -> tuple[int, int]:
        """The fewest replicas, and the batch size with which each meets the rows of its share."""
        for count in range(1, self.max_replicas + 1):
            decision = self.planner.choose(seen, share=count)
            if decision is not None:
                return count, decision.batch
        return self.max_replicas, self.planner.choose_or_all(seen).batch
