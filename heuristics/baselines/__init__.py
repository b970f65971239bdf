"""The systems that Harpagon compares with [R], and scaling in one direction only."""
