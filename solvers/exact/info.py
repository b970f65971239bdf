"""What a result of the exact method says of how it was made."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from harpagon.formulations.physics import TIME_TOLERANCE
from harpagon.solvers.result import SolverInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.solvers.options import SolverOptions


@lru_cache(maxsize=1)
def _version() -> str:
    return version("harpagon")


def decomposition_info(options: SolverOptions, **details: object) -> SolverInfo:
    """What ran, with its options and tolerances."""
    chosen: Mapping[str, object] = {
        "time_limit": options.time_limit,
        "gap": options.gap,
        "time_tolerance_s": TIME_TOLERANCE,
        **details,
    }
    return SolverInfo("harpagon decomposition", _version(), chosen)
