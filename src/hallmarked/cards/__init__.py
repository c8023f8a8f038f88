"""What a card claims, and how each claim stands against the statements: pure functions."""
