"""Plans in time: what happens request by request.

`simulate` runs a plan and returns a `SimulationReport`. Its parts can be used alone:

============= ==============================================================================
arrivals      even, slow, Poisson, gamma, Markov-modulated and recorded arrivals, piece by piece
traces        trace files
named         the ``--arrivals`` flag
bursts        the token bucket that a stream passes
conditions    noise of service times, stalls and lost machines
histogram     quantiles of a stream in bounded memory
machines      machines of one group; service-time models
open_batches  dispatch into open batches: priority and earliest deadline first
lanes         dispatch by fixed shares: per configuration or per machine
padding       dummy requests
dispatchers   from a module's plan to its dispatcher
flow          requests between modules, with watermarks
fanout, joins edges and where they meet
inlets        the edges, join and regulator before a module
pacing        results held back until arrivals are even again
in_step       waves of exact grids, and one tuple that serves them
station       one module in time
simulator     the pipeline
measure       running counts to reports
frames        latency per root request
report        the result types
headroom      the smallest spare capacity that meets a percentile
guard         plans that leave room for what pacing and spacing may add
============= ==============================================================================
"""

from harpagon.simulation.report import SimulationReport
from harpagon.simulation.simulator import simulate

__all__ = ["SimulationReport", "simulate"]
