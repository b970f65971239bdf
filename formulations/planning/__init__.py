"""The planning problem as models (compact, disjunctive, CP-SAT, pattern), their data, linear programs as arrays."""
