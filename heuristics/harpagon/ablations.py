"""The ablations of Harpagon; what each name switches off is [R]. The first fifteen names are the paper's.

=============== ====================================================================================================
harp-2d         Round-robin dispatch: a full tuple takes 2 d.
harp-dt         Dispatch by configuration: a tuple collects only from its own rate, d + b / (n t).
harp-1c         One configuration a module.
harp-2c         At most two configurations a module.
harp-nb         No batching: batch 1, or the smallest batch of the model's profile.
harp-nhc        One hardware type: the cheapest with profiles for every module.
harp-nhe        One hardware type: the dearest (most expensive) with profiles for every module.
harp-nd         No dummy generator. Under whole billing the last machine is still bought whole.
harp-0re        No latency reassigner.
harp-1re        One reassignment.
harp-tb         Latency split by throughput gained per second; no cost-direct.
harp-q0.01      Latency split on a grid of 1 % of the SLO.
harp-q0.1       Latency split on a grid of 10 % of the SLO.
harp-nnm        No node merger.
harp-ncd        No cost-direct.
harp-1cs        Latency split by what one configuration alone would cost, instead of by the module scheduler: ours.
harp-bf         Brute force over latency splits with the heuristic's own module scheduler: ours.
=============== ====================================================================================================

Every ablation keeps the parts that it does not name; so the reassigner still works on what a quantised split leaves.
The quantised splits search a grid where the greedy splitter takes one best move after another; on a fine grid they
can therefore be cheaper than the whole heuristic, and slower. ``harp-bf`` is never dearer: what it saves is lost by
splitter and reassigner, and what it loses to the optimum is lost by the module scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harpagon.heuristics.harpagon.plan import HarpagonOptions, Splitter, plan_harpagon
from harpagon.heuristics.harpagon.profile_restriction import HardwareChoice
from harpagon.instances.policies import Dispatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.instances.policies import Billing

ABLATIONS: Final[Mapping[str, HarpagonOptions]] = {
    "harp-2d": HarpagonOptions(dispatch=Dispatch.ROUND_ROBIN),
    "harp-dt": HarpagonOptions(dispatch=Dispatch.PER_CONFIG),
    "harp-1c": HarpagonOptions(max_configurations=1),
    "harp-2c": HarpagonOptions(max_configurations=2),
    "harp-nb": HarpagonOptions(batching=False),
    "harp-nhc": HarpagonOptions(hardware=HardwareChoice.CHEAPEST),
    "harp-nhe": HarpagonOptions(hardware=HardwareChoice.DEAREST),
    "harp-nd": HarpagonOptions(dummies=False),
    "harp-0re": HarpagonOptions(reassignments=0),
    "harp-1re": HarpagonOptions(reassignments=1),
    "harp-tb": HarpagonOptions(splitter=Splitter.THROUGHPUT, cost_direct=False),
    "harp-q0.01": HarpagonOptions(quantum=0.01),
    "harp-q0.1": HarpagonOptions(quantum=0.1),
    "harp-nnm": HarpagonOptions(node_merger=False),
    "harp-ncd": HarpagonOptions(cost_direct=False),
    "harp-1cs": HarpagonOptions(splitter=Splitter.ESTIMATE),
    "harp-bf": HarpagonOptions(splitter=Splitter.EVERY),
}
"""Name to options."""


def plan_ablation(instance: Instance, billing: Billing, name: str) -> Plan | None:
    """Plan with one ablation of Harpagon.

    Raises
    ------
    KeyError
        Where ``name`` is none of `ABLATIONS`.
    """
    return plan_harpagon(instance, billing, ABLATIONS[name])
