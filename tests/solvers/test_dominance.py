"""Labels that may not be dropped: modules on which dominance without regard to the slack loses the optimum."""

from __future__ import annotations

import networkx as nx
import pytest

from harpagon.instances.instance import Configuration, Hardware, Instance, Pipeline
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.enumeration.brute_force import solve_brute_force
from harpagon.solvers.exact.solve import solve_exact

MODULES = [
    (284.0, 0.69, [("g1", 16, 0.453, 2.0), ("g2", 8, 0.178, 3.0), ("g1", 1, 0.034, 2.0), ("g0", 2, 0.052, 3.0)]),
    (226.0, 0.25, [("g1", 8, 0.121, 2.2), ("g0", 8, 0.184, 1.5), ("g2", 2, 0.08, 1.0)]),
    (239.0, 0.304, [("g0", 2, 0.054, 2.2), ("g1", 8, 0.243, 2.0), ("g2", 1, 0.059, 2.0)]),
    (244.0, 0.31, [("g0", 8, 0.099, 3.0), ("g1", 8, 0.235, 1.5), ("g1", 4, 0.135, 1.5)]),
]
"""Rate, SLO and profile: found among 270,000 random modules, few of which tell the two rules apart."""


@pytest.mark.parametrize(("rate", "slo", "profile"), MODULES)
@pytest.mark.parametrize("dispatch", [Dispatch.TC_SAFE, Dispatch.TC, Dispatch.EDF])
def test_optima_of_modules_whose_slack_decides(
    dispatch: Dispatch, rate: float, slo: float, profile: list[tuple[str, int, float, float]]
) -> None:
    configurations = tuple(Configuration(*figures) for figures in profile)
    graph = nx.DiGraph()
    graph.add_node("m", model="model", join="all")
    hardware = {c.hardware: Hardware(c.hardware, c.price) for c in configurations}
    pipelines = (Pipeline("p", rate, slo, graph),)
    instance = Instance("slack", Billing.WHOLE, hardware, {"model": configurations}, pipelines)
    expected = solve_brute_force(instance, Billing.WHOLE, dispatch).objective
    assert expected is not None
    assert solve_exact(instance, Billing.WHOLE, dispatch).objective == pytest.approx(expected)
