"""Exact plans under ``shared`` billing: mixes of one machine as columns.

Read `problem` (what is chosen from), `mixes` (the search for mixes), `columns` (the relaxation, closed to a proof),
`solve` (the method); `assignment` is a second one, without columns.
"""
