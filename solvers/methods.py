"""The one registry of planning methods: what each is, what it supports, how it runs; and `solve`, which runs any.

A method is one row of `METHODS`, exact methods and heuristics alike; nothing else lists them. Its function is imported
only when it runs, so listing methods costs nothing. To add a method, write its function in `harpagon.solvers` or
`harpagon.heuristics` and add its row here.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from harpagon.formulations.checker import check
from harpagon.formulations.physics import keeps_streams
from harpagon.instances.checks import Checks
from harpagon.instances.errors import InputError, suggestion
from harpagon.instances.policies import APART, Billing, Dispatch
from harpagon.solvers.capabilities import (
    Capabilities,
    UnsupportedError,
    has_bundles,
    has_bursts,
    has_spares,
    require_features,
)
from harpagon.solvers.errors import CheckFailedError
from harpagon.solvers.method import SAFEST, Kind, Method, load, timed
from harpagon.solvers.options import DEFAULT_OPTIONS
from harpagon.solvers.result import Result, SolveInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan
    from harpagon.solvers.options import SolverOptions


def solve(
    instance: Instance,
    method: str = "exact",
    billing: Billing | None = None,
    dispatch: Dispatch | None = None,
    options: SolverOptions = DEFAULT_OPTIONS,
) -> Result:
    """Plan an instance with one method; the independent checker referees the plan.

    Parameters
    ----------
    instance
        What to plan.
    method
        Name of a method, a key of `METHODS`.
    billing
        How machines are billed; None for the billing of the instance.
    dispatch
        Dispatch policy to plan for; None for the method's default.
    options
        How long and how far to search.

    Returns
    -------
    Result
        Plan, bound and times. A heuristic's bound is minus infinity.

    Raises
    ------
    InputError
        Where there is no such method.
    UnsupportedError
        Where the method does not support the billing, the dispatch policy or the limits.
    CheckFailedError
        Where the plan fails the independent check.
    SolveInterrupted
        On Ctrl-C, with the best plan so far, refereed as well.
    """
    chosen = find_method(method)
    billing = billing or instance.billing
    dispatch = dispatch or chosen.dispatch_for(billing)
    require_support(chosen, instance, billing, dispatch)
    try:
        result = chosen.run(instance, billing, dispatch, options)
    except SolveInterrupted as interruption:
        raise SolveInterrupted(_refereed(instance, method, interruption.result)) from None
    if chosen.kind is Kind.EXACT:
        result = cast("Callable[..., Result]", load("solvers.ties:with_quickest_plan"))(instance, result, options)
    return _refereed(instance, method, result)


def find_method(name: str) -> Method:
    """Method of this name, those of other packages included; `InputError` with near names where there is none."""
    Checks("method").name((), name)
    if name not in METHODS:
        load_entry_points()
    if name not in METHODS:
        raise InputError(name, "", "there is no method of this name", suggestion(name, METHODS))
    return METHODS[name]


@cache
def load_entry_points() -> None:
    """Import the modules that other packages name under the entry point group ``harpagon.methods``.

    Raises
    ------
    InputError
        Where one of them cannot be imported.
    """
    for point in entry_points(group="harpagon.methods"):
        try:
            point.load()
        except Exception as error:
            problem = f"importing {point.value} raises {type(error).__name__}: {error}"
            step = f"Mend or uninstall the package {point.dist.name if point.dist else 'that names it'}"
            raise InputError(f"entry point {point.name} of harpagon.methods", "", problem, step) from error


def require_support(method: Method, instance: Instance, billing: Billing, dispatch: Dispatch) -> None:
    """Raise `UnsupportedError` unless ``method`` supports this case."""
    case = (billing, dispatch)
    if case not in method.capabilities.cases:
        others = tuple(other.name for other in METHODS.values() if case in other.capabilities.cases)
        paid = (other.name for other in METHODS.values() if billing in other.capabilities.billings)
        others = others or tuple(name for name in paid if name != method.name)
        raise UnsupportedError(method.name, f"{billing} billing under {dispatch} dispatch", others)
    others = tuple(other.name for other in METHODS.values() if other.capabilities.cases >= _STREAMS)
    others = () if method.name in others else others
    if not keeps_streams(dispatch) and has_bursts(instance):
        words = f"bursts under {dispatch} dispatch; plan with --dispatch paced"
        raise UnsupportedError(method.name, words, others)
    if has_spares(instance) and (not keeps_streams(dispatch) or billing is Billing.FRACTIONAL):
        words = f"spare machines in {billing} billing under {dispatch} dispatch; plan with --billing whole"
        words += "" if keeps_streams(dispatch) else " --dispatch paced"
        raise UnsupportedError(method.name, words, others)
    if billing is not Billing.WHOLE and has_bundles(instance):
        words = f"hardware sold in bundles in {billing} billing; plan with --billing whole"
        raise UnsupportedError(method.name, words, ())
    require_features(method.name, instance, {name: other.capabilities for name, other in METHODS.items()})


_STREAMS = frozenset((Billing.WHOLE, dispatch) for dispatch in Dispatch if keeps_streams(dispatch))
"""Cases in which plans are made for bursts and with spare machines."""


def _refereed(instance: Instance, method: str, result: Result) -> Result:
    """The result with the instance's digest in its plan, which the checker accepts."""
    if result.plan is None:
        return result
    plan = replace(result.plan, instance_digest=instance.digest())
    report = check(instance, plan)
    if not report.ok:
        raise CheckFailedError(method, report.violations)
    return replace(result, plan=plan)


_FORMULAS = tuple(dispatch for dispatch in Dispatch if not keeps_streams(dispatch))
"""Policies whose latency is one formula of the schedule."""
_EVERYTHING = frozenset((billing, dispatch) for billing in APART for dispatch in Dispatch)
_CONVEX = frozenset(
    (billing, dispatch) for billing in APART for dispatch in (Dispatch.TC, Dispatch.PER_CONFIG, Dispatch.ROUND_ROBIN)
)
_WITH_SAFE = _CONVEX | {(billing, Dispatch.TC_SAFE) for billing in APART}
_WHOLE = frozenset((Billing.WHOLE, dispatch) for dispatch in _FORMULAS)


def _exact(
    name: str,
    summary: str,
    target: str,
    cases: frozenset[tuple[Billing, Dispatch]] = _EVERYTHING,
    linear: bool = False,
    opens: str = "",
    shared: str = "",
    **extra: object,
) -> Method:
    """Row of an exact method of `harpagon.solvers`; ``shared`` is what it runs under that billing, if it can."""

    def run(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
        solver = cast("Callable[..., Result]", load(f"solvers.{shared if billing is Billing.SHARED else target}"))
        return solver(instance, billing, dispatch, options, **extra)

    cases = cases | {(Billing.SHARED, Dispatch.PACED)} if shared else cases
    default = next((policy for policy in SAFEST if any(dispatch is policy for _, dispatch in cases)), Dispatch.TC)
    capabilities = Capabilities(cases, capacity=True, linear=linear)
    return Method(name, Kind.EXACT, summary, capabilities, default, run, extra, opens=opens)


def _heuristic(name: str, summary: str, target: str, /, dispatch: Dispatch = Dispatch.TC, **extra: object) -> Method:
    """Row of a heuristic that plans for one dispatch policy."""

    def run(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
        planner = cast("Callable[..., Plan | None]", load(f"heuristics.{target}"))
        return timed(name, lambda: planner(instance, billing, **extra))

    cases = frozenset((billing, dispatch) for billing in APART)
    return Method(name, Kind.HEURISTIC, summary, Capabilities(cases), dispatch, run, extra)


def _sharing(name: str, summary: str, target: str) -> Method:
    """Row of a heuristic that lets modules share machines."""
    row = _heuristic(name, summary, f"shared.{target}", Dispatch.PACED)
    return replace(row, capabilities=Capabilities(frozenset({(Billing.SHARED, Dispatch.PACED)})))


def _harpagon() -> Method:
    """Row of Harpagon, which plans for ``tc`` as published, and for the two safe policies: ours."""

    def run(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
        from harpagon.heuristics.harpagon.plan import HarpagonOptions, plan_harpagon

        deadline = math.inf if options.time_limit is None else time.perf_counter() + options.time_limit
        chosen = HarpagonOptions(dispatch=dispatch)
        return timed("harpagon", lambda: plan_harpagon(instance, billing, chosen, deadline))

    summary = "Latency splitting, multi-tuple schedules, dummy requests, reassignment: the Harpagon planner [R]."
    policies = (Dispatch.TC, Dispatch.TC_SAFE, Dispatch.EDF)
    cases = frozenset((billing, dispatch) for billing in APART for dispatch in policies)
    return Method("harpagon", Kind.HEURISTIC, summary, Capabilities(cases), Dispatch.TC, run)


def _ablation(name: str, summary: str, dispatch: Dispatch | None = None) -> Method:
    """Row of Harpagon, or of harpagon+, with one part switched off or replaced."""
    whole, target, usual = "Harpagon", "harpagon.ablations:plan_ablation", Dispatch.TC
    if name.startswith("plus-"):
        whole, target, usual = "harpagon+", "harpagon_plus.plan:plan_plus_ablation", Dispatch.FREE
    return _heuristic(name, f"{whole} {summary}.", target, dispatch or usual, name=name)


def _baseline(name: str, summary: str, **extra: object) -> Method:
    """Row of one reading of a baseline, see `harpagon.heuristics.baselines.readings`."""
    system = name.partition("-")[0]
    return _heuristic(name, f"{summary} [R].", f"baselines.{system}:plan_{system}", Dispatch.ROUND_ROBIN, **extra)


def _program(name: str, latency: str, dispatch: Dispatch) -> Method:
    """Row of one reading of Scrooge: `exact` under its own policy, see `harpagon.heuristics.baselines.readings`."""
    summary = f"One mathematical program over all modules, {latency}: Scrooge [R]."
    cases = frozenset((billing, dispatch) for billing in APART)
    exact = _exact(name, summary, "exact.solve:solve_exact", cases)

    def run(instance: Instance, billing: Billing, dispatch: Dispatch, options: SolverOptions) -> Result:
        return replace(exact.runner(instance, billing, dispatch, options), method=name)

    return replace(exact, kind=Kind.HEURISTIC, default_dispatch=dispatch, runner=run)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        _exact(
            "exact",
            "Decomposition into module frontiers: a proven optimum in milliseconds.",
            "exact.solve:solve_exact",
            shared="shared.solve:solve_shared",
        ),
        _exact(
            "pattern",
            "Module frontiers as columns of a mixed-integer model, on HiGHS.",
            "models.pattern:solve_pattern",
            linear=True,
            opens="models.opened:open_pattern",
        ),
        _exact(
            "compact",
            "One mixed-integer model of the whole pipeline with tangents, on HiGHS.",
            "models.compact:solve_compact",
            _WITH_SAFE,
            linear=True,
            opens="models.opened:open_tangents",
        ),
        _exact(
            "levels",
            "The compact model with each latency on levels that have a least cost, on HiGHS.",
            "models.levels:solve_levels",
            _WITH_SAFE,
            linear=True,
            opens="models.opened:open_tangents",
        ),
        _exact(
            "disjunctive-bigm",
            "Disjunctions over configurations in big-M form, on HiGHS.",
            "models.disjunctive:solve_disjunctive",
            _CONVEX,
            linear=True,
            opens="models.opened:open_tangents",
            relaxation="bigm",
        ),
        _exact(
            "disjunctive-hull",
            "Disjunctions over configurations in hull form, on HiGHS.",
            "models.disjunctive:solve_disjunctive",
            _CONVEX,
            linear=True,
            opens="models.opened:open_tangents",
            relaxation="hull",
        ),
        _exact(
            "cp-sat",
            "Integers with product constraints, on CP-SAT.",
            "models.cp_sat:solve_cp_sat",
            _WHOLE,
            opens="models.opened_cp_sat:open_cp_sat",
        ),
        _exact(
            "assignment",
            "Modules put on machines that several share, one mixed-integer model on HiGHS.",
            "",
            frozenset(),
            linear=True,
            shared="shared.assignment:solve_assignment",
        ),
        _exact(
            "brute-force",
            "Enumeration, for small instances.",
            "enumeration.brute_force:solve_brute_force",
            shared="enumeration.shared:solve_shared_by_force",
        ),
        _harpagon(),
        _heuristic(
            "harpagon+",
            "Harpagon with searched schedules in any order, a split over module frontiers, and a polish: ours.",
            "harpagon_plus.plan:plan_harpagon_plus",
            dispatch=Dispatch.FREE,
        ),
        _baseline("nexus", "Largest batch within each budget, a last machine by its duty cycle: Nexus"),
        _program("scrooge", "a configuration collects as one", Dispatch.PER_CONFIG),
        _program("scrooge-2d", "every machine collects alone", Dispatch.ROUND_ROBIN),
        _baseline("inferline", "Greedy growth of batches, replicas and hardware, a last machine by its use: InferLine"),
        _baseline("inferline-whole", "InferLine with every machine bought whole", occupancy=False),
        _baseline("clipper", "Even split, one configuration a module, a last machine by its use: Clipper"),
        _baseline("clipper-whole", "Clipper with every machine bought whole", occupancy=False),
        _heuristic(
            "vertical",
            "One machine a module, the cheapest: Sponge's setting in pipelines.",
            "baselines.vertical:plan_vertical",
        ),
        _sharing("squishy", "Best fit by duty cycles: Nexus's squishy bin packing [R].", "squishy:plan_squishy"),
        _sharing("packing", "Machine by machine the modules that save most: ours.", "packing:plan_packing"),
        _ablation("harp-2d", "under round-robin dispatch", Dispatch.ROUND_ROBIN),
        _ablation("harp-dt", "with each configuration collecting from its own share", Dispatch.PER_CONFIG),
        _ablation("harp-1c", "with one configuration per module"),
        _ablation("harp-2c", "with at most two configurations per module"),
        _ablation("harp-nb", "without batching"),
        _ablation("harp-nhc", "on the cheapest hardware type alone"),
        _ablation("harp-nhe", "on the dearest hardware type alone"),
        _ablation("harp-nd", "without dummy requests"),
        _ablation("harp-0re", "without the latency reassigner"),
        _ablation("harp-1re", "with one latency reassignment"),
        _ablation("harp-tb", "with latency split by throughput gained"),
        _ablation("harp-q0.01", "with latency split on a grid of 1 % of the SLO"),
        _ablation("harp-q0.1", "with latency split on a grid of 10 % of the SLO"),
        _ablation("harp-nnm", "without the node merger"),
        _ablation("harp-ncd", "without cost-direct"),
        _ablation("harp-1cs", "with latency split by what one configuration alone would cost"),
        _ablation("harp-bf", "with brute force over latency splits"),
        _ablation("plus-tc", "in the order of throughput-cost ratio", Dispatch.TC),
        _ablation("plus-ms", "with Harpagon's module scheduler"),
        _ablation("plus-gs", "with Harpagon's greedy latency split"),
        _ablation("plus-np", "without the polish"),
        _ablation("plus-0g", "with one group of whole machines a module"),
    )
}
"""Every method by name, in the order in which they are listed."""
