"""Machines that take batches in turn while their number changes: start-up, work, retirement, machine-seconds paid."""

from __future__ import annotations

from heapq import heappush, heapreplace


class Fleet:
    """Equal machines, each paid for from the start of its start-up to its retirement.

    Parameters
    ----------
    machines
        Ready at time 0.
    startup
        Seconds from starting a machine until it can take a batch.
    """

    def __init__(self, machines: int, startup: float = 0.0) -> None:
        self.free = [0.0] * machines
        """Heap of the seconds on the clock at which each machine can take a batch."""
        self.paid = 0.0
        """Machine-seconds of retired machines; `paid_until` adds the others."""
        self.started = 0
        """Machines started after time 0."""
        self._startup = startup
        self._born = [0.0] * machines

    def __len__(self) -> int:
        return len(self.free)

    def occupy(self, finish: float) -> None:
        """Keep the machine that is free first busy until ``finish``."""
        heapreplace(self.free, finish)

    def restart(self, time: float) -> float:
        """Restart the machine that is free first once its batch is done; returns when it can take the next."""
        ready = max(self.free[0], time) + self._startup
        self.occupy(ready)
        return ready

    def resize(self, time: float, machines: int, *, busiest: bool = False) -> None:
        """Have ``machines`` from ``time`` on; what has to start, starts then.

        Idle machines retire at once, working ones after their batch: first those that have least left, or the most
        where the ``busiest`` are to go.
        """
        for _ in range(machines - len(self.free)):
            heappush(self.free, time + self._startup)
            self._born.append(time)
            self.started += 1
        if machines < len(self.free):
            self._retire(time, len(self.free) - machines, busiest)

    def _retire(self, time: float, count: int, busiest: bool) -> None:
        ordered = sorted(self.free)
        split = len(ordered) - count if busiest else count
        leaving, self.free = (ordered[split:], ordered[:split]) if busiest else (ordered[:split], ordered[split:])
        for free in leaving:
            # Which of the equal machines leaves does not matter to the sum of lifetimes.
            self.paid += max(time, free) - self._born.pop(0)

    def paid_until(self, end: float) -> float:
        """Machine-seconds paid up to ``end``."""
        return self.paid + sum(max(0.0, end - born) for born in self._born)
