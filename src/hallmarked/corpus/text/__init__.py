"""Texts in tables: where they are, and how they are compared."""
