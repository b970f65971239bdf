"""SLOpt in time: changing load, machines that start and retire, batches that drop what would be late.

========== ===========================================================
workload   traces and their generators
stages     what each stage can be swapped for, by name
durations  how long partial batches take
engine     a pipeline that serves a trace, and what its modules report
estimation forecasts of the load and their errors
demand     an envelope of the demand of every module
tuning     when machines are started and retired
report     what a run measured
systems    whole systems to compare with
========== ===========================================================

Joins, queues, fleets, drop rules and the engine are those of `harpagon.simulation.flow`.
"""
