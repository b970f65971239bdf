"""Plans under every dispatch policy, simulated."""
