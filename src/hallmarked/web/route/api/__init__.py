"""Our own API, below ``/api/hallmarked``: people, organisations, administration."""
