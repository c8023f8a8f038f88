"""``hallmarked run``: training runs, before and after."""
