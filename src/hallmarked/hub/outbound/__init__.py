"""The hub as a client of other machines: imports and webhooks."""
