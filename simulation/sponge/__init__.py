"""Sponge in time: bandwidth, requests, servers, scalers."""
