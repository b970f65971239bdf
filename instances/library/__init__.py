"""Shipped figures and what is made of them: profiles, applications, workloads, suites, optima."""
