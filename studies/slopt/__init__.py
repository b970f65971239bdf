"""SLOpt beside its baselines."""
