"""Which load tests of a server that batches by itself say what one machine carries, and at which latency."""

from __future__ import annotations

from dataclasses import dataclass

from harpagon.instances.measurements.verdicts import CapacityPoint, RowVerdict

KEPT = 0.9
"""Share of the offered rate that must be answered; below it the queue may have grown as long as the test ran."""
ENOUGH = 100
"""Answers without which a 99th percentile is no more than their maximum."""


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """One load test of a server.

    Attributes
    ----------
    place, what
        Where it stands, and its load in words.
    machines
        Machines behind the server.
    throughput
        Requests per second answered.
    latency
        Seconds within which 99 % were answered from end to end; None where unknown.
    offered
        Requests per second that a clock sent; None where clients waited for answers or all was sent at once.
    concurrency
        Requests that clients kept in flight; None where a clock sent them or all was sent at once.
    failed
        Requests that were not answered.
    answered
        Requests that were; None where unknown.
    """

    place: str
    what: str
    machines: int
    throughput: float
    latency: float | None
    offered: float | None = None
    concurrency: float | None = None
    failed: int = 0
    answered: float | None = None


def judge_server_load(load: ServerLoad, without_latency: str) -> RowVerdict:
    """One machine of n carries throughput / n at the 99th percentile, if the test was in a steady state.

    Parameters
    ----------
    load
        The test.
    without_latency
        What to say where no end-to-end percentile is known: how to measure one.
    """
    why = _unsteady(load) or ("" if load.latency else without_latency)
    if why or not load.latency:
        return RowVerdict(load.place, load.what, why)
    how = "a clock sent requests, all were answered" if load.offered else f"{load.concurrency:g} requests in flight"
    shared = f", over {load.machines} machines" if load.machines > 1 else ""
    point = CapacityPoint(load.throughput / load.machines, load.latency)
    return RowVerdict(load.place, load.what, f"{how}{shared}; the latency is the 99th percentile", point)


def _unsteady(load: ServerLoad) -> str:
    """Why a test says nothing about steady service; empty where it does."""
    if load.failed:
        return f"{load.failed} requests failed: the rest was served with less load"
    if load.throughput <= 0:
        return "nothing was answered"
    if load.offered is None and load.concurrency is None:
        return "all requests were sent at once: latency is that of the queue, and grows with the number of requests"
    if load.offered is not None and load.throughput < KEPT * load.offered:
        share = load.throughput / load.offered
        return (
            f"{share:.0%} of {load.offered:g} req/s were answered while it ran: overloaded, or too short for its "
            f"latencies; ask for less, or send for longer"
        )
    if load.answered is not None and load.answered < ENOUGH:
        return f"the 99th percentile of {load.answered:g} answers is their maximum: send at least {ENOUGH}"
    return ""
