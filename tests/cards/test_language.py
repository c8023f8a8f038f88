"""Facts about languages."""

from __future__ import annotations

import pytest

from hallmarked.cards.language import check_tag, direction, is_tag, sets_words_apart
from hallmarked.core.errors import InputError


@pytest.mark.parametrize(
    ("tag", "way"),
    [("ar", "rtl"), ("he-IL", "rtl"), ("fa", "rtl"), ("es", "ltr"), ("az-Arab", "rtl"), ("ar-Latn", "ltr")],
)
def test_direction(tag: str, way: str) -> None:
    """A script that is named counts more than the language's usual one."""
    assert direction(tag) == way


def test_tags() -> None:
    """What is no tag is refused by a sentence that quotes it."""
    assert is_tag("pt-BR")
    assert not is_tag("../../etc")
    with pytest.raises(InputError, match="“x y” is no language tag"):
        check_tag("x y")


def test_languages_without_spaces() -> None:
    """Counts of words mean nothing there."""
    assert not sets_words_apart("zh-Hant")
    assert sets_words_apart("en")
