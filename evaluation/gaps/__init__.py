"""Gap studies: which tasks, which tables."""
