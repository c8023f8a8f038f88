"""Repositories of other hubs, brought here."""
