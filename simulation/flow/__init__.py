"""Requests on their way: fan-out, joins, stations."""
