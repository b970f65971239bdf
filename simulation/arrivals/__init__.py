"""When requests arrive: processes and recorded traces."""
