"""Harpagon (INFOCOM 2025) [R]: split the latency, schedule modules, add dummies, reassign; and its ablations."""
