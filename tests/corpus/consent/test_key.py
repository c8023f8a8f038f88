"""The registry's key: layers, its file, and commitments."""

from pathlib import Path

import pytest

from hallmarked.core.errors import InputError, NotFound
from hallmarked.corpus.consent.key import RegistryKey, commitment, create_key, load_key, save_key

KEY = RegistryKey((b"k" * 32,))


def test_a_layer_is_put_over_digests_without_the_identifier() -> None:
    """After the key is renewed, an old digest is brought to the new key by what is stored alone."""
    new = KEY.renew()
    for size in (4, 12, 32):
        assert new.cover(KEY.digest(b"account", b"alice", size)) == new.digest(b"account", b"alice", size)
    assert new.id != KEY.id


def test_kinds_have_unlike_digests() -> None:
    """Equal values of two kinds cannot be told to be equal."""
    assert KEY.digest(b"account", b"alice") != KEY.digest(b"domain", b"alice")


def test_a_key_lies_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    """It comes back whole; a file that others may read is refused, one that is there is not overwritten."""
    path, key = tmp_path / "folder" / "consent.key", create_key().renew()
    save_key(path, key)
    assert load_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="never overwritten"):
        save_key(path, key)
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        load_key(path)
    with pytest.raises(NotFound):
        load_key(tmp_path / "none")


@pytest.mark.parametrize("text", ["", "hallmarked consent key 1\n", "hallmarked consent key 1\nabc\n", "x" * 20_000])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """A damaged file is named as such."""
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(InputError):
        load_key(path)


def test_a_key_is_not_shown_by_accident() -> None:
    """Only its id appears where a program prints it."""
    assert repr(KEY) == f"RegistryKey({KEY.id})"
    assert KEY.layers[0].hex() not in repr(KEY)


def test_a_commitment_needs_its_salt() -> None:
    """Equal data under two salts have unlike commitments, and no salt may be short."""
    assert commitment(b"a" * 16, b"x") != commitment(b"b" * 16, b"x")
    assert commitment(b"a" * 16, b"bx") != commitment(b"a" * 16 + b"b", b"x")
    with pytest.raises(InputError):
        commitment(b"short", b"x")
