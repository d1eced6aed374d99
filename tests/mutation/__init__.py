"""Mechanical mutants of policy.py, and how many of them the scenarios alone kill."""
