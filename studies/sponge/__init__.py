"""The studies of docs/sponge.md."""
