"""Shared machines in the terminal: each as a box with its models, and what binds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harpagon.cli.views.boxes import box, ends, milliseconds
from harpagon.formulations.shared import busy, cycle, memory
from harpagon.formulations.shared_checker import recompute_hosts

if TYPE_CHECKING:
    from harpagon.formulations.shared import Group
    from harpagon.formulations.shared_checker import Guest
    from harpagon.instances.instance import Instance
    from harpagon.instances.plan import Plan

_WIDTH = 60
_FULL = 1 - 1e-6
"""Share of a machine's time from which on nothing more fits."""


def machine_view(instance: Instance, plan: Plan) -> list[Text]:
    """A box for every shared machine: its time, and of every module when its batches close and the time they take."""
    lines: list[Text] = []
    hosts = recompute_hosts(instance, plan)
    for name, mix in hosts.groups.items():
        if mix:
            lines += [*_box(instance, name, mix, hosts.machines), Text()]
    return lines


def _box(instance: Instance, name: str, mix: dict[Guest, Group], machines: int) -> list[Text]:
    groups = tuple(mix.values())
    inner = _WIDTH - 4
    time = f"{100 * busy(groups):.1f} % of its time, one batch of each {milliseconds(cycle(groups))}"
    rows = [ends(Text("turns", "dim"), Text(time, "dim"), inner)]
    rows += [ends(Text(_part(one) + _label(instance, guest)), Text(_turn(one)), inner) for guest, one in mix.items()]
    if machines > 1:
        rows.append(ends(Text(f"{machines - 1} more in spare", "dim"), Text(), inner))
    price = instance.hardware[groups[0].configuration.hardware].price
    return box(name, machines * price, rows, _WIDTH)


def _label(instance: Instance, guest: Guest) -> str:
    """The module, with its pipeline where there are several."""
    return guest[1] if len(instance.pipelines) == 1 else f"{guest[0]}.{guest[1]}"


def _part(one: Group) -> str:
    """Of a dealt module what is left to the machine."""
    return "" if one.deal is None else f"{1 - one.deal.share} of "


def _turn(one: Group) -> str:
    closing = f"after {milliseconds(one.close_after)}" if one.close_after else "at once"
    return f"{one.configuration}  closes {closing:<14} {100 * one.share:5.1f} %"


def machine_lines(instance: Instance, plan: Plan) -> list[Text]:
    """What binds every shared machine: its time, its memory, or the objectives of its modules."""
    found = recompute_hosts(instance, plan).groups.items()
    return [Text(f"machine {name}: {_state(instance, mix)}") for name, mix in found if mix]


def _state(instance: Instance, mix: dict[Guest, Group]) -> str:
    groups = tuple(mix.values())
    time = busy(groups)
    words = [f"{len(groups)} modules take {100 * time:.1f} % of its time{', all of it' * (time > _FULL)}"]
    words.append(f"a batch is done {milliseconds(cycle(groups))} after it closed at most")
    there = instance.hardware[groups[0].configuration.hardware].memory_gb
    if there is not None:
        graphs = {pipeline.name: pipeline.graph for pipeline in instance.pipelines}
        models = [(graphs[p].nodes[m]["model"], one.configuration) for (p, m), one in mix.items()]
        words.append(f"{memory(models):g} of {there:g} GB")
    return "; ".join(words)
