"""Finding repositories: the index, search and tags."""
