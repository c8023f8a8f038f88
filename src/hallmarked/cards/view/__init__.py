"""A card as people read it: technical, in plain language, on one page; in every language it is written in."""
