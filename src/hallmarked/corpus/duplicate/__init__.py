"""Texts that occur more than once: the same ones, nearly the same ones, and passages that return in several."""
