"""A pipeline, a heuristic and a row of one's own: compared on two processes, drawn, solved to proven optimality."""

from dataclasses import replace

import matplotlib.pyplot as plt
from pyomo.environ import Binary, Constraint, Var

import harpagon


def fork_and_join(rate: float) -> harpagon.Instance:
    model = harpagon.Model(f"fork-and-join-{rate:g}rps")
    for name, price, speed in (("A10", 1.0, 1.5), ("T4", 0.526, 3.2), ("cpu", 0.09, 14.0)):
        model.add_hardware(name, price_per_hour=price)
        for dnn, alone, more in (("detector", 24, 11), ("classifier", 5, 1.5), ("fusion", 2, 0.5)):
            model.add_profile(dnn, name, {batch: speed * (alone + more * batch) for batch in (1, 4, 16)})
    pipeline = model.add_pipeline("cameras", rate_rps=rate, slo_ms=400)
    modules = ("detect", "detector"), ("cars", "classifier"), ("people", "classifier"), ("fuse", "fusion")
    detect, cars, people, fuse = (model.add_module(pipeline, name, model=dnn) for name, dnn in modules)
    for branch in (cars, people):
        model.add_edge(detect, branch)
        model.add_edge(branch, fuse)
    return model.instance()


@harpagon.register("best-single-type", dispatch="tc")
def best_single_type(
    instance: harpagon.Instance, billing: harpagon.Billing, dispatch: harpagon.Dispatch
) -> harpagon.Plan | None:
    """The cheapest of Harpagon's plans on one machine type."""
    plans = []
    for name in instance.hardware:
        kept = {model: tuple(c for c in profile if c.hardware == name) for model, profile in instance.profiles.items()}
        narrow = replace(instance, profiles=kept)
        plans.append(harpagon.solve(narrow, "harpagon", billing=billing, dispatch=dispatch).plan)
    return min((plan for plan in plans if plan is not None), key=lambda plan: plan.cost, default=None)


instances = [fork_and_join(rate) for rate in (20, 40, 80, 160, 320)]
table = harpagon.compare(instances, ["best-single-type", "harpagon", "nexus", "clipper"], workers=2)
print(table.groupby("method", sort=False)[["cost", "gap_tc"]].mean().round(3))
figure, axes = plt.subplots()
harpagon.plot_gaps(table, over="tc", ax=axes)
figure.savefig("gaps.png")

built = harpagon.formulation("compact").build(instances[2], dispatch="tc")
rows = built.model
rows.in_fleet = Var(list(instances[2].hardware), domain=Binary)
hardware = {key: built.configuration(*key).hardware for key in built.keys}
rows.member = Constraint(built.keys, rule=lambda _, *key: rows.uses[key] <= rows.in_fleet[hardware[key]])
rows.two_types = Constraint(expr=sum(rows.in_fleet.values()) <= 2)
result = built.solve()
print(harpagon.solve(instances[2], dispatch="tc"), result, sep="\n\n")
assert result.plan is not None and harpagon.check(instances[2], result.plan).ok
