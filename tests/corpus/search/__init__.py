"""Tests of ``hallmarked.corpus.search``."""
