"""Requests on their way.

A plan is run piece by piece of its arrivals (`station`), a system whose machines change period by period (`engine`).
Fan-out, arrivals and fleets are the same for both.

========= ======================================================================================
fanout    how many requests each one sends on
pieces    requests in sequence order, with watermarks
inlets    the edges, join and hold before a module of a plan
joins     which results make one request, item by item
station   one module of a plan in time
engine    a pipeline up to the end of a period, module by module
book      what every root brings to which module, joins root by root
server    one module: a queue, batches that start when full or due
order     who is served first
drop      which of those who wait are given up
fleet     machines that start, work and retire
========= ======================================================================================
"""
