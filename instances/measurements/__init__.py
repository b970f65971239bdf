"""Measurements of others as profiles: one parser per file format, each with the law that makes a figure usable.

`readers.read_measurements` reads a file, `verdicts` says of every row whether it is used and why, `laws` holds the
checks that formats share, `fragment` writes what fits into an instance file, `prices` reads price catalogues.
"""
