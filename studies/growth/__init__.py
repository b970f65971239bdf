"""How the time of exact methods grows."""
