"""Names that are accepted, and those that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.hub.path import check_branch, check_name, check_path


@pytest.mark.parametrize("path", ["a", "a/b.c", ".gitattributes", "é/ü x", "a/.hidden", "git", "x.git/y", "a" * 255])
def test_good_paths(path: str) -> None:
    """What people call files is accepted, and left as it is."""
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "a/./b", "a\\b", "a\0b", "a\nb", "\x7f",
        "\u2028x",
        ".git", ".git/config", "a/.GIT/hooks", ".git.", ".git ", ".gi\u200ct", "\u200b.git", "git~1", "GIT~2/x",
        ".git::$INDEX_ALLOCATION",
        "a" * 256, "a/" * 65 + "b", "\ud800",
    ],
    ids=ascii,
)  # fmt: skip
def test_bad_paths(path: str) -> None:
    """What leaves the repository, reaches git's own folder somewhere, or cannot be shown is refused."""
    with pytest.raises(InputError):
        check_path(path)


@given(st.text(max_size=40))
def test_any_path(path: str) -> None:
    """An accepted path is relative, and no part of it means something else."""
    try:
        check_path(path)
    except InputError:
        return
    assert path
    assert not {"", ".", ".."} & set(path.split("/"))


@pytest.mark.parametrize("name", ["a", "A1", "bert-base", "a.b_c", "0x"])
def test_good_names(name: str) -> None:
    """Ordinary names are accepted."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-a", "a-", "a--b", "a..b", "a/b", "a b", "é", "a.git", "a" * 97, "a\n"]
)
def test_bad_names(name: str) -> None:
    """Names that do not fit into an address, or look like something else, are refused."""
    with pytest.raises(InputError):
        check_name(name)


@pytest.mark.parametrize("name", ["main", "v1.0", "feature/x", "a_b"])
def test_good_branches(name: str) -> None:
    """Ordinary branch names are accepted."""
    assert check_branch(name) == name


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "-x", ".x", "a/.b", "x.lock", "a..b", "x.", "a b", "a~1", "a^", "a:b", "@{", "0" * 40]
)
def test_bad_branches(name: str) -> None:
    """What git refuses, or what looks like a commit, is refused."""
    with pytest.raises(InputError):
        check_branch(name)
