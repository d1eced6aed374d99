"""How fast the suite, its load generator and relays are: `python -m benchmarks`."""
