"""Methods that prove: each runs a model or a decomposition on an instance and returns a `Result`.

`exact` is the decomposition, `registry` finds every exact method by name, `capabilities` says what each supports,
`options` and `result` are what goes in and what comes out.
"""
