"""``hallmarked policy``: contexts, what they demand, and what they decide."""
