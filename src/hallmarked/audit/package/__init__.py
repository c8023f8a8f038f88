"""Packages for regulators: forms, cards, keys and evidence that verify themselves."""
