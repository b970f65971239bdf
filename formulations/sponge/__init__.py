"""Sponge's problem: core latency, the decision of one second, its models."""
