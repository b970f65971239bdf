"""Waiting for instants of the event loop's clock, and how late this machine is at it."""

from __future__ import annotations

import asyncio


async def sleep_until(instant: float) -> None:
    """Return at ``instant`` of the running loop's clock, or at once where it is past; up to about 1 ms late."""
    wait = instant - asyncio.get_running_loop().time()
    if wait > 0:
        await asyncio.sleep(wait)


class Lag:
    """Largest lateness of this machine's own clockwork, seconds: timers that fired late, requests sent late."""

    def __init__(self) -> None:
        self.largest = 0.0

    def note(self, instant: float) -> None:
        """What was to happen at ``instant`` happens now."""
        self.largest = max(self.largest, asyncio.get_running_loop().time() - instant)
