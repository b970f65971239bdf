"""Pictures of one module: how a schedule climbs the capacity axis, and the frontier of cost against latency."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.saving import literal
from harpagon.formulations.physics import collection_rate
from harpagon.solvers.exact.schedule import cheapest_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from harpagon.formulations.problem import ModuleProblem
    from harpagon.instances.policies import Billing, Dispatch
    from harpagon.solvers.exact.schedule import Point


def draw_climb(axis: Axes, module: ModuleProblem, budget: float, billing: Billing, dispatch: Dispatch) -> None:
    """Cheapest schedule within ``budget`` seconds, read from the end of its dispatch order.

    Each tuple is one line from the capacity behind it to the capacity with it, at its cost. Dotted lines mark
    q_c = b / (budget - d), the capacity that a configuration in use needs with itself and behind itself.
    """
    point = cheapest_schedule(module, budget, billing, dispatch)
    if point is None:
        return
    parts = point.schedule[::-1]
    capacities = [0.0, *accumulate(part.rate for part in parts)]
    costs = [0.0, *accumulate(part.cost for part in parts)]
    for k, part in enumerate(parts):
        label = f"{part.machines:g} x {part.configuration}"
        (line,) = axis.plot(capacities[k : k + 2], costs[k : k + 2], "o-", markersize=4, label=label)
        need = collection_rate(part.configuration, budget)
        axis.axvline(need, color=line.get_color(), linestyle=":", linewidth=1.0)
    axis.axvline(module.rate, color="#4d4d4d", linewidth=1.0)
    axis.set_title(f"budget {budget * 1e3:.4g} ms", fontsize="medium")
    axis.set_xlabel("capacity (req/s)")
    axis.set_ylabel("cost ($/h)")
    axis.legend(fontsize="small", frameon=False)
    literal(axis)


def draw_frontier(axis: Axes, points: Sequence[Point], label: str | None = None) -> None:
    """Cost over latency budget: each point holds from its own latency up to that of the next cheaper one."""
    ordered = sorted(points, key=lambda point: point.latency)
    axis.step(
        [point.latency * 1e3 for point in ordered],
        [point.cost for point in ordered],
        "o-",
        where="post",
        markersize=3.5,
        label=label,
    )
    axis.set_xlabel("latency budget (ms)")
    axis.set_ylabel("cost ($/h)")
