"""Routes, one module for each part of the protocol."""
