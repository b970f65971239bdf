"""The constraint-programming model: products in place of tangents, in scaled integers, under every dispatch policy.

Times are counted in ticks of tau seconds, rates in units of rho req/s, costs in units of kappa $/hour. Every constant
is rounded to the side that admits more plans, so the model is a relaxation of the true problem and its bound holds:

    d -> floor(d / tau)    b -> floor(b / (rho tau))    t -> ceil(t / rho)    T -> floor(T / rho)
    transfer -> floor      SLO -> floor(SLO / tau) + modules on the longest path (each latency is rounded up)
    p -> floor(p / kappa)

A plan that the model admits therefore misses its SLO by at most about (2 x modules on the path + 1) tau, beside a
relative error of rho / t in its rates; it is checked in floating point, and where it fails the model is solved again
with finer units (`harpagon.solvers.models.cp_sat`). The bound is short of the optimum by at most kappa per machine.

For a configuration in use, with w the rate that its batches are collected from:

    tc           b <= w (L - d),  w = rate of the configuration and of all after it
    free         the same, after and before chosen by ranks
    per-config   b <= w (L - d),  w = n t
    round-robin  2 d <= L
    tc-safe      b + (sum of b in use before it) <= w (L - d)
    edf          sum of b in use with d' >= d  +  sum of n t max(d', d)  <=  L x (sum of n t)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx

from harpagon.formulations.physics import collects, collects_alone, has_free_order, serves_due_first, waits_for_front

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, IntVar

    from harpagon.formulations.planning.data import PlanningData

Expression: TypeAlias = Any
"""A linear expression of CP-SAT, whose types do not add up under a type checker."""
_PRICE_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Units:
    """Size of one integer step: ``tick`` seconds, ``flow`` req/s per rate unit, ``coin`` $/hour."""

    tick: float
    flow: float
    coin: float


@dataclass(slots=True)
class CpSatModel:
    """The model with the variables that a plan is read from: machines and, under ``free``, ranks."""

    model: CpModel
    machines: dict[tuple[int, int], IntVar]
    uses: dict[tuple[int, int], IntVar]
    latency: list[IntVar]
    ranks: dict[tuple[int, int], IntVar]


def units(data: PlanningData, precision: int) -> Units:
    """Units with ``precision`` bits for the longest SLO and the largest machine's rate."""
    prices = [c.price for bounds in data.bounds for c in bounds.configurations]
    decimals = next((k for k in range(_PRICE_DECIMALS) if all(_is_whole(p * 10**k) for p in prices)), _PRICE_DECIMALS)
    slowest = min(c.throughput for bounds in data.bounds for c in bounds.configurations)
    return Units(max(data.slo) / 2**precision, slowest / 2 ** (precision - 4), 10.0**-decimals)


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-9 * max(1.0, abs(value))


def build_cp_sat(data: PlanningData, steps: Units) -> CpSatModel:
    """CP-SAT model of ``data`` in whole billing."""
    built = _variables(data, steps)
    _add_cost(built, data, steps)
    _add_capacity(built, data, steps)
    _add_activation(built, data)
    _add_paths(built, data, steps)
    _add_limits(built, data)
    for m in range(len(data.modules)):
        if not collects(data.dispatch):
            _add_round_robin(built, data, steps, m)
        elif serves_due_first(data.dispatch):
            _add_deadline_first(built, data, steps, m)
        else:
            _add_collection(built, data, steps, m)
    return built


def _variables(data: PlanningData, steps: Units) -> CpSatModel:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    built = CpSatModel(model, {}, {}, [], {})
    for m, bounds in enumerate(data.bounds):
        earliest, latest = math.floor(bounds.earliest / steps.tick), math.ceil(bounds.latest / steps.tick) + 1
        built.latency.append(model.new_int_var(earliest, max(earliest, latest), f"latency[{m}]"))
    for m, c in data.keys:
        built.machines[m, c] = model.new_int_var(0, data.machine_bound(m, c), f"machines[{m},{c}]")
        built.uses[m, c] = model.new_bool_var(f"uses[{m},{c}]")
    return built


def _add_cost(built: CpSatModel, data: PlanningData, steps: Units) -> None:
    """Minimise sum of floor(p / kappa) n, plus floor(p / kappa) i of machines i that stand idle in bundles."""
    coins = {one.name: math.floor(one.price / steps.coin + 1e-6) for one in data.bundles.values()}
    prices = {key: math.floor(data.configuration(*key).price / steps.coin + 1e-6) for key in data.keys}
    full = sum(price * built.machines[key] for key, price in prices.items())
    built.model.minimize(full + sum(coins[name] * idle for name, idle in _add_bundles(built, data).items()))


def _add_capacity(built: CpSatModel, data: PlanningData, steps: Units) -> None:
    """sum over c of t_c n_mc >= T_m."""
    for m, module in enumerate(data.modules):
        built.model.add(_rate(built, data, steps, m) >= math.floor(module.rate / steps.flow))


def _add_activation(built: CpSatModel, data: PlanningData) -> None:
    """u_mc = 1 exactly where n_mc >= 1."""
    for key in data.keys:
        built.model.add(built.machines[key] >= 1).only_enforce_if(built.uses[key])
        built.model.add(built.machines[key] == 0).only_enforce_if(built.uses[key].negated())


def _add_paths(built: CpSatModel, data: PlanningData, steps: Units) -> None:
    """precedence: s_m + L_m + transfer <= s_m' on edges; deadline: s_m + L_m <= SLO at sinks."""
    model, allowance = built.model, _longest_path(data)
    ends = [math.floor(slo / steps.tick) + allowance for slo in data.slo]
    entry = [model.new_int_var(0, end, f"entry[{m}]") for m, end in enumerate(ends)]
    for (tail, head), transfer in data.edges.items():
        model.add(entry[tail] + built.latency[tail] + math.floor(transfer / steps.tick) <= entry[head])
    for m in data.sinks:
        model.add(entry[m] + built.latency[m] <= ends[m])


def _longest_path(data: PlanningData) -> int:
    """Modules on the longest path."""
    graph = nx.DiGraph(list(data.edges))
    return 2 + (nx.dag_longest_path_length(graph) if data.edges else 0)


def _add_limits(built: CpSatModel, data: PlanningData) -> None:
    """sum of n_mc over all modules and all c on hardware h <= limit_h."""
    for hardware, limit in data.limits.items():
        used = [built.machines[key] for key in data.keys if data.configuration(*key).hardware == hardware]
        if used:
            built.model.add(sum(used) <= limit)


def _add_bundles(built: CpSatModel, data: PlanningData) -> dict[str, IntVar]:
    """sum of n_mc over all modules and all c on hardware h + i_h = B_h y_h, for types sold in bundles of B; the i."""
    idle = {}
    for name, hardware in data.bundles.items():
        bundles = built.model.new_int_var(0, data.limits[name] // hardware.bundle, f"bundles[{name}]")
        idle[name] = built.model.new_int_var(0, hardware.bundle - 1, f"idle[{name}]")
        used = [built.machines[key] for key in data.keys if data.configuration(*key).hardware == name]
        built.model.add(sum(used) + idle[name] == hardware.bundle * bundles)
    return idle


def _add_round_robin(built: CpSatModel, data: PlanningData, steps: Units, m: int) -> None:
    """2 d <= L where u = 1."""
    for c in data.of_module(m):
        twice = math.floor(data.execution(m, c) / steps.tick)
        built.model.add(built.latency[m] >= twice).only_enforce_if(built.uses[m, c])


def _add_collection(built: CpSatModel, data: PlanningData, steps: Units, m: int) -> None:
    """b, under ``tc-safe`` with the b of all before it, <= w (L - d) where u = 1."""
    behind = _free_order(built, data, m) if has_free_order(data.dispatch) else None
    for c in data.of_module(m):
        configuration = data.configuration(m, c)
        if behind is None:
            collected = _collected(built, data, steps, m, c)
        else:
            collected = _machine_rate(data, steps, m, c) * built.machines[m, c]
            collected += sum(_machine_rate(data, steps, m, k) * machines for k, machines in behind[c].items())
        slack = built.latency[m] - math.floor(configuration.duration / steps.tick)
        product = _product(built, data, steps, m, collected, slack, f"[{m},{c}]")
        needed: Expression = _batch(configuration.batch, steps)
        if waits_for_front(data.dispatch):
            needed += sum(_batch(data.configuration(m, k).batch, steps) * built.uses[m, k] for k in range(c))
        built.model.add(product >= needed).only_enforce_if(built.uses[m, c])


def _add_deadline_first(built: CpSatModel, data: PlanningData, steps: Units, m: int) -> None:
    """sum of b in use with d' >= d + sum of n t max(d', d) <= L x sum of n t where u = 1."""
    total = _product(built, data, steps, m, _rate(built, data, steps, m), built.latency[m] + 0, f"[{m}]")
    configurations = data.bounds[m].configurations
    for c, pivot in enumerate(configurations):
        demand: Expression = 0
        for k, other in enumerate(configurations):
            held = math.floor(other.throughput * max(other.duration, pivot.duration) / steps.flow / steps.tick)
            demand += held * built.machines[m, k]
            if other.duration >= pivot.duration:
                demand += _batch(other.batch, steps) * built.uses[m, k]
        built.model.add(demand <= total).only_enforce_if(built.uses[m, c])


def _free_order(built: CpSatModel, data: PlanningData, m: int) -> dict[int, dict[int, IntVar]]:
    """Ranks order the configurations; for each c and k a variable that is n_k where k stands behind c, else 0."""
    model, numbers = built.model, data.of_module(m)
    for c in numbers:
        built.ranks[m, c] = model.new_int_var(0, len(numbers) - 1, f"rank[{m},{c}]")
    model.add_all_different([built.ranks[m, c] for c in numbers])
    behind: dict[int, dict[int, IntVar]] = {c: {} for c in numbers}
    for c in numbers:
        for k in numbers:
            if k == c:
                continue
            after = model.new_bool_var(f"behind[{m},{c},{k}]")
            machines = model.new_int_var(0, data.machine_bound(m, k), f"machines_behind[{m},{c},{k}]")
            model.add(built.ranks[m, c] < built.ranks[m, k]).only_enforce_if(after)
            model.add(built.ranks[m, c] > built.ranks[m, k]).only_enforce_if(after.negated())
            model.add(machines <= built.machines[m, k])
            model.add(machines == 0).only_enforce_if(after.negated())
            behind[c][k] = machines
    return behind


def _product(
    built: CpSatModel, data: PlanningData, steps: Units, m: int, rate: Expression, time: Expression, label: str
) -> IntVar:
    """Variable equal to rate x time, time cut off at 0 from below."""
    model = built.model
    most_rate = math.ceil(data.largest_rate(m) / steps.flow) + sum(data.machine_bound(m, c) for c in data.of_module(m))
    most_time = math.ceil(data.slo[m] / steps.tick) + 2
    flow = model.new_int_var(0, most_rate, f"rate{label}")
    ticks = model.new_int_var(0, most_time, f"slack{label}")
    product = model.new_int_var(0, most_rate * most_time, f"product{label}")
    model.add(flow == rate)
    model.add_max_equality(ticks, [time, 0])
    model.add_multiplication_equality(product, [flow, ticks])
    return product


def _collected(built: CpSatModel, data: PlanningData, steps: Units, m: int, c: int) -> Expression:
    if collects_alone(data.dispatch):
        return _machine_rate(data, steps, m, c) * built.machines[m, c]
    return sum(_machine_rate(data, steps, m, k) * built.machines[m, k] for k in data.of_module(m) if k >= c)


def _rate(built: CpSatModel, data: PlanningData, steps: Units, m: int) -> Expression:
    return sum(_machine_rate(data, steps, m, c) * built.machines[m, c] for c in data.of_module(m))


def _machine_rate(data: PlanningData, steps: Units, m: int, c: int) -> int:
    return math.ceil(data.configuration(m, c).throughput / steps.flow)


def _batch(batch: int, steps: Units) -> int:
    return math.floor(batch / (steps.flow * steps.tick))
