"""``hallmarked admin``: what whoever runs a hub does beside it, one module for each part."""
