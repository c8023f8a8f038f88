"""What frameworks ask, answered from evidence: pure functions."""
