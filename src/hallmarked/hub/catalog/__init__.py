"""Finding repositories: the index, search, tags, likes and downloads."""
