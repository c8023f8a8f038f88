"""``hallmarked attest``: what people state, signed."""
