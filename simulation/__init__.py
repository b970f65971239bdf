"""Plans in time: what happens request by request.

`simulate` runs a plan and returns a `SimulationReport`. Its parts can be used alone:

============= ==============================================================================
arrivals      even, slow, Poisson, gamma, Markov-modulated and recorded arrivals, piece by piece
flow          requests between modules: fan-out, joins, queues, fleets, the engine of controllers
dispatch      from a module's plan to what hands its requests to machines
simulator     the pipeline of a plan, piece by piece in time
pacing        results held back until arrivals are even again
together      pipelines that share machines
measure       running counts to reports
frames        latency per root request
histogram     quantiles of a stream in bounded memory
report        the result types
headroom      the smallest spare capacity that meets a percentile
recorded      plans for a recorded trace
slopt, sponge systems whose machines change while they run
deploy        plans as configurations of serving systems
serving       plans served by the clock
============= ==============================================================================

The names of ``__init__.pyi`` load when they are used: the command line takes its words from enumerations here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
