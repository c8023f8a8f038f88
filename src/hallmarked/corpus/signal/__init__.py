"""Machine-readable signals of rights holders: what they say of training on a page or file."""
