"""Machines that host several modules: what they save, and whether their plans keep their word."""
