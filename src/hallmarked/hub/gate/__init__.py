"""Gates: files that people get only after asking for them."""
