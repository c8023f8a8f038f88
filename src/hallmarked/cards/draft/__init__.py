"""A first version of a card: what machines know is filled in, what only people know is asked."""
