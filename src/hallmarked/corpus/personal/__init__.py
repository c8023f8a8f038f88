"""Personal data and secrets in text: where they stand, of which kind they are, and how to take them out."""
