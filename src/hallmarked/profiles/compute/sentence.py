"""Sentences about operations, in every language."""

from __future__ import annotations

from functools import partial

from hallmarked.profiles.language import say_of

say = partial(say_of, __package__)
"""Return a sentence by its key in every language, with values filled in."""
