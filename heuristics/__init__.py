"""Planners that are quick and promise no optimum: Harpagon with its ablations, and the systems before it.

Each is a function from an instance and a billing to a plan, or to None where it finds none. Every part of Harpagon
has a file of its own and a switch in `HarpagonOptions`.
"""

from harpagon.heuristics.ablations import ABLATIONS, plan_ablation
from harpagon.heuristics.harpagon import HarpagonOptions, plan_harpagon
from harpagon.heuristics.profile_restriction import HardwareChoice

__all__ = [
    "ABLATIONS",
    "HardwareChoice",
    "HarpagonOptions",
    "plan_ablation",
    "plan_harpagon",
]
