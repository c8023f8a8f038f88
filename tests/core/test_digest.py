"""The digest of a folder binds names and bytes."""

from __future__ import annotations

import pytest

from hallmarked.core.digest import dir_hash

FILES = {
    "README.md": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
    "config.json": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "weights/model.safetensors": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
}


def test_worked_example() -> None:
    """The digest equals the one that find, sort and sha256sum give for the same three files."""
    assert dir_hash(FILES) == "861c4a4cb7fd60f7bc98298b7aaa4c638a4d8c7a3b19b5c07360a0733097b84d"


def test_names_count() -> None:
    """The same bytes under another name are another folder."""
    renamed = {("LIESMICH.md" if path == "README.md" else path): digest for path, digest in FILES.items()}
    assert dir_hash(renamed) != dir_hash(FILES)


@pytest.mark.parametrize("path", ["a\nb", "a\\b"])
def test_ambiguous_names_are_refused(path: str) -> None:
    """A name that would make the recipe ambiguous is refused."""
    with pytest.raises(ValueError, match="line break or a backslash"):
        dir_hash({path: "00"})
