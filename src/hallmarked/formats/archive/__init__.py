"""Bounded readers of archives and compressed streams: they list and expand, they never extract."""
