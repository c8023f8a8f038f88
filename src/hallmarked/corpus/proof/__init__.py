"""Prove which contents a version of a data set holds, and which it does not."""
