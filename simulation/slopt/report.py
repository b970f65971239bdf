"""What a run over a trace measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """One control period: figures at its end, sequences in topological order of the modules.

    Attributes
    ----------
    end
        Seconds on the clock.
    arrived
        Roots that entered.
    dropped
        Roots dropped.
    demand
        Requests per second of every module that the tuner expects, bursts within a tenth of a second included.
    load
        Requests per second that came to every module.
    machines
        Of every module, those that start included.
    band
        Seconds on the clock, and the least and most requests per second of the root that were forecast for then.
    """

    end: float
    arrived: int
    dropped: int
    demand: tuple[float, ...]
    load: tuple[float, ...]
    machines: tuple[int, ...]
    band: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class ModuleCounts:
    """Items of one module; arrived = finished + dropped + waiting."""

    name: str
    arrived: int
    finished: int
    dropped: int
    waiting: int


@dataclass(frozen=True, slots=True, eq=False)
class SloptRun:
    """A served trace.

    Attributes
    ----------
    slo
        Seconds.
    seconds
        Length of the trace.
    arrivals
        When every root entered, seconds on the clock.
    finish, dropped_at
        When it was finished or dropped; infinity where it was not.
    cost
        Dollars for all modules.
    started
        Machines started during the run.
    modules
        Item counts.
    module_arrivals
        Per module the times of its items.
    periods
        Period by period.
    """

    slo: float
    seconds: float
    arrivals: np.ndarray
    finish: np.ndarray
    dropped_at: np.ndarray
    cost: float
    started: int
    modules: tuple[ModuleCounts, ...]
    module_arrivals: tuple[np.ndarray, ...]
    periods: tuple[PeriodRecord, ...]

    @property
    def arrived(self) -> int:
        """Roots."""
        return int(self.arrivals.size)

    @property
    def finished(self) -> int:
        """Roots finished."""
        return int(np.isfinite(self.finish).sum())

    @property
    def dropped(self) -> int:
        """Roots of which an item was dropped."""
        return int(np.isfinite(self.dropped_at).sum())

    @property
    def in_flight(self) -> int:
        """Roots neither finished nor dropped when the run ended."""
        return int((np.isinf(self.finish) & np.isinf(self.dropped_at)).sum())

    @property
    def latencies(self) -> np.ndarray:
        """Seconds of the finished roots."""
        done = np.isfinite(self.finish)
        latencies: np.ndarray = self.finish[done] - self.arrivals[done]
        return latencies

    def quantile(self, share: float) -> float:
        """Latency of the finished roots that ``share`` of them do not exceed, seconds; NaN for none."""
        return float(np.quantile(self.latencies, share, method="higher")) if self.finished else float("nan")

    def quantile_of_all(self, share: float) -> float:
        """Latency that ``share`` of all roots do not exceed, seconds; what is dropped or in flight never comes."""
        return float(np.quantile(self.finish - self.arrivals, share, method="higher")) if self.arrived else float("nan")

    @property
    def in_time(self) -> int:
        """Roots finished within the SLO."""
        return int((self.latencies <= self.slo + 1e-9).sum())

    @property
    def attainment(self) -> float:
        """Share of all roots finished within the SLO; what is dropped or in flight misses it."""
        return self.in_time / self.arrived if self.arrived else 1.0

    @property
    def goodput(self) -> float:
        """Roots finished within the SLO, per second."""
        return self.in_time / self.seconds

    @property
    def most_machines(self) -> int:
        """Most machines of all modules together at the end of a period, those that start included."""
        return max((sum(record.machines) for record in self.periods), default=0)

    @property
    def cost_per_hour(self) -> float:
        """Dollars per hour on average."""
        return self.cost / self.seconds * 3600.0
