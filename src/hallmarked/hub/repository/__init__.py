"""Repositories: their revisions and files, and every way to change them."""
