"""Exact passages and keywords of data sets: an index, what a text shares with it, and what outsiders are told."""
