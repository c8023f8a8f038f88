"""How the bytes of a revision are reached: a folder, a single file, a packed folder."""
