"""Notification of training runs: what a plan comes to under dated rules, and what became of it."""
