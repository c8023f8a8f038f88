"""Revisions on other machines: any endpoint that speaks the Hub protocol, read by ranges."""
