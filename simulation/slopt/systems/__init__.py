"""Whole systems beside SLOpt: each its own planner, controller, order of the queue and drop rule [R].

========== =====================================================
planners   configurations from the systems' offline planners
policies   for which rates machines are held, second by second
controller machines for those rates, within the fleet
system     the systems by name, and how one serves a trace
========== =====================================================
"""
