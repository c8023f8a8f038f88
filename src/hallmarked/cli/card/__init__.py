"""``hallmarked card``: write, check, show and exchange cards."""
