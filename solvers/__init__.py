"""Methods that prove: each runs a model or a decomposition on an instance and returns a `Result`.

`exact` is the decomposition, `methods` lists every method with what it supports and
runs it, `options` and `result` are what goes in and what comes out.
"""
