"""A client that sends by a clock, whatever is answered: latencies run from the intended moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harpagon.simulation.serving.clock import sleep_until
from harpagon.simulation.serving.kserve import infer_request

if TYPE_CHECKING:
    from harpagon.simulation.serving.clock import Lag
    from harpagon.simulation.serving.http import HttpClient


@dataclass(slots=True)
class Answers:
    """What a client saw.

    Attributes
    ----------
    latencies
        Seconds from the intended moment of every answered request to its answer.
    unanswered
        Requests that failed or were given up.
    """

    latencies: list[float] = field(default_factory=list)
    unanswered: int = 0


async def send_evenly(
    client: HttpClient,
    path: str,
    rate: float,
    duration: float,
    patience: float,
    lag: Lag,
    answers: Answers,
) -> None:
    """Send requests 1 / ``rate`` seconds apart for ``duration`` seconds, and wait ``patience`` for the last answers.

    Parameters
    ----------
    client, path
        Where requests are answered.
    rate, duration
        Requests per second, and for how many seconds.
    patience
        Seconds after which an answer is given up.
    lag
        Takes note of requests that are sent late.
    answers
        Takes note of every answer.
    """

    async def one(intended: float) -> None:
        try:
            async with asyncio.timeout_at(intended + patience):
                await client.post(path, infer_request(1, intended))
        except (TimeoutError, ConnectionError):
            answers.unanswered += 1
            return
        answers.latencies.append(asyncio.get_running_loop().time() - intended)

    first = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as sent:
        for number in range(max(1, int(duration * rate))):
            intended = first + number / rate
            await sleep_until(intended)
            lag.note(intended)
            sent.create_task(one(intended))
