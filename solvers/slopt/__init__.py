"""Provisioning under SLOpt's envelopes, step by step and in hindsight."""
