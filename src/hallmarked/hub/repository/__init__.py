"""Repositories: who owns them, their revisions and files as they are."""
