"""Credentials in text: the shapes that issuers give them, and tests that tell them from what only looks like one."""
