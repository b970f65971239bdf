"""SLOpt in time: changing load, machines that start and retire, batches that drop what would be late.

========== ===========================================================
workload   traces and their generators
durations  how long partial batches take
requests   every root request through fan-out and joins to its end
engine     the pipeline, one control period at a time
estimation forecasts of the load and their errors
demand     an envelope of the demand of every module
tuning     when machines are started and retired
report     what a run measured
systems    whole systems to compare with
========== ===========================================================

Queues, fleets and drop rules are those of `harpagon.simulation.flow`.
"""
