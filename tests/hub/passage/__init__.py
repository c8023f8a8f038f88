"""Tests of ``hallmarked.hub.passage``."""
