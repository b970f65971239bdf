"""Brute force: every schedule, every combination; the referee of the other exact methods."""
