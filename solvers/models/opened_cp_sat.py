"""The ``cp-sat`` formulation, opened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from harpagon.formulations.planning.cp_sat import build_cp_sat, units
from harpagon.solvers.capabilities import UnsupportedError
from harpagon.solvers.models.cp_sat import PRECISIONS, describe, new_solver, read_schedules, run_solver
from harpagon.solvers.models.opened import OpenModel, Sizes
from harpagon.solvers.result import Termination

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, IntVar

    from harpagon.solvers.method import Method
    from harpagon.solvers.models.model_method import Task
    from harpagon.solvers.options import SolverOptions
    from harpagon.solvers.result import Result, SolverInfo


class CpSatOpenModel(OpenModel):
    """``cp-sat`` in the finest units; the integer variables of machines and their use are at hand.

    A plan that fits only within the rounding of the units fails the checker; the result then holds none.
    """

    model: CpModel

    @property
    def machines(self) -> dict[tuple[int, int], IntVar]:
        """(module, configuration) to the number of its machines."""
        return self._cp_sat.machines

    @property
    def uses(self) -> dict[tuple[int, int], IntVar]:
        """(module, configuration) to whether any of its machines is used."""
        return self._cp_sat.uses

    def sizes(self) -> Sizes:
        """Size of the model; nonzeros are the variables that its constraints name, one by one."""
        proto = self.model.proto
        whole = len(proto.variables)
        entries = sum(len(row.linear.vars) for row in proto.constraints)
        return Sizes(len(proto.constraints), whole, whole, entries)

    def relaxation(self) -> float:
        raise UnsupportedError(self.method, "a linear relaxation: its model has products", ())

    def _build(self) -> None:
        self._units = units(self._data, PRECISIONS[-1])
        self._cp_sat = build_cp_sat(self._data, self._units)
        self.model = self._cp_sat.model

    def _search(self, task: Task) -> Result:
        begin = time.perf_counter()
        solver = new_solver(task)
        status, interrupted = run_solver(solver, self._cp_sat)
        seconds = time.perf_counter() - begin
        if status == "INFEASIBLE":
            return task.held(Termination.INFEASIBLE, task.budget, 0.0, seconds, interrupted)
        bound = task.floor
        if status in ("OPTIMAL", "FEASIBLE"):
            bound = max(bound, solver.best_objective_bound * self._units.coin)
            task.incumbent.offer(task.incumbent.assemble(read_schedules(self._cp_sat, self._data, solver)))
        return task.held(task.stopped(bound), bound, 0.0, seconds, interrupted)

    def _info(self, options: SolverOptions, **details: object) -> SolverInfo:
        return describe(options, **details)


def open_cp_sat(method: Method, *case: Any) -> CpSatOpenModel:
    """Open ``cp-sat``."""
    return CpSatOpenModel(method.name, *case)
