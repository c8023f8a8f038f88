"""``hallmarked profile``: what frameworks ask, answered from evidence."""
