"""Passages in the texts of repositories: whose owners let others ask, who may ask, and what they are told."""
