"""Requests on their way.

One engine runs plans and systems with controllers; what is peculiar to them is what a module is made of, a dispatcher
(`station`) or a queue (`queues`), and which root a join waits for.

========= ======================================================================================
engine    a pipeline, piece by piece of its arrivals, module by module
pieces    requests with watermarks
fanout    edges: how many requests each one sends on, and when they are there
inlets    the join and the hold before a module
joins     which results make one request
station   one module of a plan in time
queues    one module as a queue, up to the end of a period
closings  which module is done with which root
server    the queue: batches that start when full or due
order     who is served first
drop      which of those who wait are given up
fleet     machines that start, work and retire
========= ======================================================================================
"""
