"""The registry of consents."""
