"""The hub as a client of other machines: where its requests may go, and whom webhooks are to tell what."""
