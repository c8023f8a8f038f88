"""``hallmarked consent``: what whoever asks a registry of consents does on their own machine."""
