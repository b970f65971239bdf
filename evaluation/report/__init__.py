"""The report of a gap study as files and one HTML page."""
