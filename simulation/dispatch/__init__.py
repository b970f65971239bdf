"""Dispatchers: which machine serves which batch."""
