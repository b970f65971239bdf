"""Many solves on many processes: tasks, rows, and where they run."""
