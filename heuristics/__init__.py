"""Planners that are quick and promise no optimum: Harpagon with its ablations, and the systems before it.

Each is a function from an instance and a billing to a plan, or to None where it finds none. Every part of Harpagon
has a file of its own and a switch in `HarpagonOptions`.
"""

from harpagon.heuristics.baselines.clipper import plan_clipper
from harpagon.heuristics.baselines.inferline import plan_inferline
from harpagon.heuristics.baselines.nexus import plan_nexus
from harpagon.heuristics.harpagon.ablations import ABLATIONS, plan_ablation
from harpagon.heuristics.harpagon.plan import HarpagonOptions, plan_harpagon
from harpagon.heuristics.harpagon.profile_restriction import HardwareChoice

__all__ = [
    "ABLATIONS",
    "HardwareChoice",
    "HarpagonOptions",
    "plan_ablation",
    "plan_clipper",
    "plan_harpagon",
    "plan_inferline",
    "plan_nexus",
]
