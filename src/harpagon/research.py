"""Pieces under the public names, for who studies the methods: the notebooks import them from here.

They are documented where they stand and may change in any release, which the names of ``import harpagon`` may not;
`docs/api.md` has the promise.
"""

from harpagon.evaluation.gaps.features import features
from harpagon.evaluation.plotting.module import draw_climb, draw_frontier
from harpagon.evaluation.plotting.slopt import slopt_figure
from harpagon.evaluation.plotting.sponge import sponge_figure
from harpagon.formulations.assembly import plan_module
from harpagon.formulations.problem import ModuleProblem, pipeline_problem, pipeline_problems
from harpagon.formulations.slopt.envelope import Envelope
from harpagon.formulations.sponge.core_latency import SPONGE_REFIT, evaluate_fit, fit_core_latency
from harpagon.formulations.sponge.problem import SpongeVariant, interval_problem
from harpagon.heuristics.harpagon.module_scheduler import schedule_module
from harpagon.heuristics.harpagon.plan import plan_harpagon
from harpagon.heuristics.harpagon_plus.plan import plan_harpagon_plus
from harpagon.heuristics.scheduling_rules import SchedulingRules
from harpagon.heuristics.sponge import enumerate_sponge
from harpagon.instances.cpu.profile import published_yolo_profile
from harpagon.instances.library.benchmarks import benchmark_path, read_benchmarks
from harpagon.instances.library.slopt_pipelines import slopt_instance
from harpagon.instances.library.suites import suite_workloads
from harpagon.simulation.arrivals.processes import EvenArrivals
from harpagon.simulation.dispatch.dispatchers import module_dispatcher
from harpagon.simulation.slopt.hindsight import run_hindsight
from harpagon.simulation.slopt.run import SystemOptions, run_slopt, stage_swaps
from harpagon.simulation.slopt.systems.system import SYSTEMS, run_system
from harpagon.simulation.slopt.tuning import TuningOptions
from harpagon.simulation.slopt.workload import days_before, generate_workload
from harpagon.simulation.sponge.bandwidth import synthetic_bandwidth
from harpagon.simulation.sponge.registry import make_scaler
from harpagon.simulation.sponge.requests import send_requests
from harpagon.simulation.sponge.run import run_scaler
from harpagon.solvers.exact.frontier import frontier
from harpagon.solvers.models.export import linear_model
from harpagon.solvers.slopt.provision import provision
from harpagon.solvers.sponge import solve_sponge, solve_sponge_cp_sat

__all__ = [
    "SPONGE_REFIT",
    "SYSTEMS",
    "Envelope",
    "EvenArrivals",
    "ModuleProblem",
    "SchedulingRules",
    "SpongeVariant",
    "SystemOptions",
    "TuningOptions",
    "benchmark_path",
    "days_before",
    "draw_climb",
    "draw_frontier",
    "enumerate_sponge",
    "evaluate_fit",
    "features",
    "fit_core_latency",
    "frontier",
    "generate_workload",
    "interval_problem",
    "linear_model",
    "make_scaler",
    "module_dispatcher",
    "pipeline_problem",
    "pipeline_problems",
    "plan_harpagon",
    "plan_harpagon_plus",
    "plan_module",
    "provision",
    "published_yolo_profile",
    "read_benchmarks",
    "run_hindsight",
    "run_scaler",
    "run_slopt",
    "run_system",
    "schedule_module",
    "send_requests",
    "slopt_figure",
    "slopt_instance",
    "solve_sponge",
    "solve_sponge_cp_sat",
    "sponge_figure",
    "stage_swaps",
    "suite_workloads",
    "synthetic_bandwidth",
]
