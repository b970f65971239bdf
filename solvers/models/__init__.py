"""What runs a formulation: HiGHS, CP-SAT, outer approximation by tangents, incumbents, export."""
