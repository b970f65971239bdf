"""Machines that host several modules: Nexus's squishy bin packing [R], and a greedy packing of our own."""
