"""Benchmarks: every figure is measured beside a peer, in one run, and printed as a table. ``python -m bench.run``."""
