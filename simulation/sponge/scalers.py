"""Scalers: Sponge, and the baselines it is compared with."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from harpagon.simulation.sponge.server import QueueOrder, Replica

if TYPE_CHECKING:
    from harpagon.simulation.sponge.planner import IntervalPlanner, Observation
    from harpagon.simulation.sponge.server import Fleet

START_UP = 10.0
"""Seconds until a new or restarted container serves [R]."""


class Scaler(Protocol):
    """Sets a fleet up and adapts it at the start of every interval."""

    order: QueueOrder

    def start(self, fleet: Fleet, seen: Observation) -> None:
        """Set the fleet up, ready to serve at time 0."""

    def adapt(self, fleet: Fleet, seen: Observation) -> None:
        """Change the fleet for the coming interval."""


@dataclass(slots=True)
class SpongeScaler:
    """One container whose cores change in place; earliest deadline first."""

    planner: IntervalPlanner
    order: QueueOrder = QueueOrder.DEADLINE

    def start(self, fleet: Fleet, seen: Observation) -> None:
        """One container with the cores the first decision asks for."""
        decision = self.planner.choose_or_all(seen)
        fleet.replicas = [Replica(decision.cores, 0.0)]
        fleet.batch = decision.batch

    def adapt(self, fleet: Fleet, seen: Observation) -> None:
        """Resize in place: a batch that runs ends as it began, the next one has the new cores."""
        decision = self.planner.choose_or_all(seen, fleet.replicas[0].cores)
        fleet.replicas[0].cores = decision.cores
        fleet.batch = decision.batch


@dataclass(slots=True)
class StaticScaler:
    """One container whose cores never change; the batch size follows the load."""

    planner: IntervalPlanner
    cores: int
    order: QueueOrder = QueueOrder.ARRIVAL

    def start(self, fleet: Fleet, seen: Observation) -> None:
        """One container with ``cores`` cores."""
        fleet.replicas = [Replica(self.cores, 0.0)]
        self.adapt(fleet, seen)

    def adapt(self, fleet: Fleet, seen: Observation) -> None:
        """Choose the batch size for the cores there are."""
        fleet.batch = self.planner.on_cores(self.cores).choose_or_all(seen).batch


@dataclass(slots=True)
class RestartScaler:
    """Vertical autoscaler that restarts its container to resize it (VPA) [R].

    It looks at arrivals, not at what waits, and asks for ``margin`` times the cores that the decision needs. It grows
    when the decision needs more cores than there are, and shrinks when for ``window`` seconds it asked for fewer. A
    restart takes ``start_up`` seconds in which nothing is served.
    """

    planner: IntervalPlanner
    order: QueueOrder = QueueOrder.ARRIVAL
    start_up: float = START_UP
    window: int = 60
    margin: float = 1.15
    _asked: deque[int] = field(default_factory=deque)
    _ready_at: float = 0.0

    def start(self, fleet: Fleet, seen: Observation) -> None:
        """One container with the cores the first decision asks for."""
        fleet.replicas = [Replica(self._ask(self._need(seen)), 0.0)]
        self._choose_batch(fleet, seen)

    def adapt(self, fleet: Fleet, seen: Observation) -> None:
        """Restart where the cores no longer fit, then choose the batch size for the cores there are."""
        replica = fleet.replicas[0]
        need = self._need(seen)
        self._asked.append(self._ask(need))
        if len(self._asked) > self.window:
            self._asked.popleft()
        fewer = len(self._asked) == self.window and max(self._asked) < replica.cores
        if seen.time >= self._ready_at and (need > replica.cores or fewer):
            replica.cores = max(self._asked) if fewer else self._asked[-1]
            replica.free_at = self._ready_at = max(replica.free_at, seen.time) + self.start_up
        self._choose_batch(fleet, seen)

    def _need(self, seen: Observation) -> int:
        return self.planner.choose_or_all(replace(seen, remaining=())).cores

    def _ask(self, need: int) -> int:
        """The smallest core count of the profile with the margin, the largest where none has it."""
        cores = self.planner.profile.cores
        return next((count for count in cores if count >= need * self.margin), cores[-1])

    def _choose_batch(self, fleet: Fleet, seen: Observation) -> None:
        fleet.batch = self.planner.on_cores(fleet.replicas[0].cores).choose_or_all(seen).batch


@dataclass(slots=True)
class HorizontalScaler:
    """One-core replicas, more or fewer of them, each with a start-up delay (FA2) [R].

    The number is the largest that the decisions of the last ``start_up`` seconds asked for: a replica that has just
    started is not stopped before it served.
    """

    planner: IntervalPlanner
    max_replicas: int
    order: QueueOrder = QueueOrder.ARRIVAL
    start_up: float = START_UP
    _asked: deque[int] = field(default_factory=deque)

    def start(self, fleet: Fleet, seen: Observation) -> None:
        """As many replicas as the first decision asks for, ready to serve."""
        count, fleet.batch = self._replicas(seen)
        fleet.replicas = [Replica(1, 0.0) for _ in range(count)]

    def adapt(self, fleet: Fleet, seen: Observation) -> None:
        """Start what is missing; stop first those that would be free last."""
        count, fleet.batch = self._replicas(seen)
        self._asked.append(count)
        if len(self._asked) > self.start_up:
            self._asked.popleft()
        wanted = max(self._asked)
        ready_at = seen.time + self.start_up
        fleet.replicas.extend(Replica(1, ready_at) for _ in range(wanted - len(fleet.replicas)))
        fleet.replicas = sorted(fleet.replicas, key=lambda replica: replica.free_at)[:wanted]

    def _replicas(self, seen: Observation) -> tuple[int, int]:
        """The fewest replicas, and the batch size with which each meets the rows of its share."""
        for count in range(1, self.max_replicas + 1):
            decision = self.planner.choose(seen, share=count)
            if decision is not None:
                return count, decision.batch
        return self.max_replicas, self.planner.choose_or_all(seen).batch
