"""``hallmarked corpus``: one module per verb, each with its own ``command``."""
