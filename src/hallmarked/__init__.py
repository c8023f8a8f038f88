"""Accountability for machine-learning models, datasets and systems, on evidence anyone can check."""

__version__ = "0.1.0"
