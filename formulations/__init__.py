"""The physics, the checker, and the optimisation models.

`physics` holds the latency formulas, `problem` compiles an instance, `assembly` turns schedules into plans,
`checker` referees them, `compact` is the Pyomo model. Models are built here and run in `harpagon.solvers`.
"""
