"""A heuristic of our own on Harpagon's frame: points chosen over the whole pipeline, groups searched."""
