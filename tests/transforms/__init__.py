"""Tests of the makers of new revisions."""
