"""The scripts behind the tables of docs/: ``python -m studies.NAME`` from the root of a clone."""
