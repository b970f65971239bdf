"""One task of a sweep, timed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harpagon.evaluation.sweep.rows import REFUSED, failed_row, result_row, unsupported_row
from harpagon.instances.errors import InputError
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.errors import CheckFailedError

if TYPE_CHECKING:
    from harpagon.evaluation.sweep.rows import KeyedTask, Row
    from harpagon.instances.instance import Instance
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result

_RUNS = 2
"""Runs of a task for timing: the fastest counts."""
_TIMING_SECONDS = 0.05
"""No further run starts once a task has taken this long."""


class Solve(Protocol):
    """What solves a task: `harpagon.solvers.methods.solve`, or anything of its form that can be pickled."""

    def __call__(
        self, instance: Instance, method: str, billing: Billing, dispatch: Dispatch, options: SolverOptions
    ) -> Result:
        """Plan ``instance``."""


def run_task(keyed: KeyedTask, solve: Solve) -> Row:
    """Solve one task up to two times and keep the outcome of the fastest run; an error is an outcome, too.

    Times are those of the `Result`, build and solve; that this process had to import a solver first shows only where
    a task is too slow for a second run.
    """
    task = keyed.task
    results: list[Result] = []
    while len(results) < _RUNS and sum(map(_seconds, results)) < _TIMING_SECONDS:
        try:
            results.append(solve(task.instance, task.method, task.billing, task.dispatch, task.options))
        except UnsupportedError:
            return unsupported_row(keyed)
        except InputError:
            raise
        except CheckFailedError as error:
            return failed_row(keyed, str(error), REFUSED)
        except Exception as error:
            return failed_row(keyed, f"{type(error).__name__}: {error}")
    return result_row(keyed, min(results, key=_seconds), len(results))


def _seconds(result: Result) -> float:
    return result.build_time + result.solve_time
