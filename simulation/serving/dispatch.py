"""The simulator's dispatcher of a module, as a plan is served: paced, behind its regulator where it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harpagon.simulation.dispatch.dispatchers import interval, module_dispatcher, wave_dispatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harpagon.instances.plan import ModulePlan
    from harpagon.instances.policies import Dispatch
    from harpagon.simulation.dispatch.served import Dispatcher, GroupTally, Served
    from harpagon.simulation.pacing import Pace


def live_dispatcher(module: ModulePlan, dispatch: Dispatch, pace: Pace) -> Dispatcher:
    """Dispatcher of one module of a paced pipeline."""
    if pace.service is not None:
        return wave_dispatcher(module, pace.service)
    inner = module_dispatcher(module, dispatch, rate=module.rate, lead=pace.lead)
    return RegulatedDispatcher(inner, interval(module)) if pace.regulated else inner


class RegulatedDispatcher:
    """A dispatcher whose requests count as arrived ``step`` seconds apart at least."""

    def __init__(self, inner: Dispatcher, step: float) -> None:
        self.tallies: Sequence[GroupTally] = inner.tallies
        self._inner = inner
        self._step = step
        self._latest = -np.inf

    def feed(self, times: np.ndarray, until: float) -> Served:
        """Dispatch requests that arrive at ``times``, sorted; all others will arrive at ``until`` or later."""
        spaced = []
        for time in times.tolist():
            self._latest = max(time, self._latest + self._step)
            spaced.append(self._latest)
        return self._inner.feed(np.array(spaced), until)

    def outstanding(self) -> Served:
        """Requests taken but not handed back, in order of arrival; NaN where completion is unknown."""
        return self._inner.outstanding()
