"""The pieces of the exact method: cheapest module schedules, frontiers, and their composition over the pipeline."""
