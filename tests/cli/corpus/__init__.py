"""Tests of ``hallmarked corpus``."""
