"""Code that travels with a model or dataset: found, parsed and judged, never imported."""
