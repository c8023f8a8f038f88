"""Proofs about contents: made by an owner, checked by somebody who has the content and trusts nobody."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, NotFound, VerificationError
from hallmarked.corpus.proof.identifier import content_digest, drawer_of
from hallmarked.corpus.proof.key import RowKey, create_row_key, load_row_key, read_public_key
from hallmarked.corpus.proof.proof import (
    MOST_BYTES,
    Commitment,
    check_manifest,
    check_proof,
    describe_commitment,
    prove,
    proven_root,
    read_commitment,
)
from hallmarked.corpus.proof.tree import Tree

CONTENTS = [f"content number {number}" for number in range(40)]


@pytest.fixture(scope="module")
def key() -> RowKey:
    """Give an owner's key."""
    return RowKey.generate()


def manifest_of(key: RowKey, contents: list[str]) -> bytes:
    """List the identifiers of contents."""
    return b"".join(sorted({key.identify(content_digest(text)) for text in contents}))


@pytest.fixture(scope="module")
def tree(key: RowKey) -> Tree:
    """Give the tree of a version."""
    return Tree(manifest_of(key, CONTENTS))


@pytest.fixture(scope="module")
def commitment(key: RowKey, tree: Tree) -> Commitment:
    """Give the commitment as others read it."""
    return read_commitment(json.loads(json.dumps(describe_commitment(tree, key, "0" * 64))))


@pytest.mark.parametrize("text", [CONTENTS[0], CONTENTS[-1], "  content   number\n7 "])
def test_a_content_of_the_version_is_shown_to_be_in_it(
    key: RowKey, tree: Tree, commitment: Commitment, text: str
) -> None:
    """A content is found whatever white space it is written with."""
    proof = prove(tree, key, content_digest(text))
    assert check_proof(proof, commitment, content_digest(text)) is True
    assert len(proof) <= 2048


@pytest.mark.parametrize("text", ["another content", "", "content number 40"])
def test_a_content_that_was_left_out_is_shown_to_be_missing(
    key: RowKey, tree: Tree, commitment: Commitment, text: str
) -> None:
    """What is not in the version is proven not to be."""
    proof = prove(tree, key, content_digest(text))
    assert check_proof(proof, commitment, content_digest(text)) is False
    assert proven_root(proof) == commitment.root


def test_an_empty_version_holds_nothing(key: RowKey) -> None:
    """Everything is missing in a version without rows."""
    tree = Tree(b"")
    commitment = read_commitment(describe_commitment(tree, key, "0" * 64))
    digest = content_digest("anything")
    assert check_proof(prove(tree, key, digest), commitment, digest) is False


def test_a_proof_serves_for_its_content_and_version_only(key: RowKey, tree: Tree, commitment: Commitment) -> None:
    """A proof about another content, or about another version, shows nothing."""
    digest = content_digest("mine")
    proof = prove(tree, key, digest)
    with pytest.raises(VerificationError, match="another content"):
        check_proof(proof, commitment, content_digest("yours"))
    other = Tree(manifest_of(key, CONTENTS[1:]))
    with pytest.raises(VerificationError, match="another version"):
        check_proof(prove(other, key, digest), commitment, digest)


def test_an_owner_cannot_choose_the_identifier_of_a_content(key: RowKey, tree: Tree, commitment: Commitment) -> None:
    """A proof made with another key, which leads another way, is refused although its path is right."""
    digest = content_digest(CONTENTS[3])
    with pytest.raises(VerificationError, match="not made with the key"):
        check_proof(prove(tree, RowKey.generate(), digest), commitment, digest)


def test_a_drawer_tells_nothing_of_the_others(key: RowKey, commitment: Commitment) -> None:
    """The signature that opens one drawer does not open another."""
    drawer = drawer_of(content_digest("mine"))
    opened = key.open_drawer(drawer)
    commitment.key.check_drawer(drawer, opened)
    with pytest.raises(VerificationError):
        commitment.key.check_drawer(drawer ^ 1, opened)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_no_changed_proof_shows_the_opposite(
    key: RowKey, tree: Tree, commitment: Commitment, data: st.DataObject
) -> None:
    """Whatever is changed in a proof, it is refused, or shows what it showed before."""
    text = data.draw(st.sampled_from([CONTENTS[5], "left out"]))
    digest = content_digest(text)
    proof = json.loads(prove(tree, key, digest))
    name = data.draw(st.sampled_from(["content", "drawer", "leaf", "path", "root"]))
    raw = bytearray(base64.b64decode(proof[name]))
    change = data.draw(st.sampled_from(["flip", "cut", "grow", "drop"]))
    if change == "flip":
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    elif change == "cut":
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    elif change == "grow":
        raw += data.draw(st.binary(min_size=1, max_size=66))
    proof[name] = None if change == "drop" else base64.b64encode(raw).decode()
    with pytest.raises(VerificationError):
        check_proof(json.dumps(proof).encode(), commitment, digest)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_proof(data: bytes) -> None:
    """Bytes that are no proof are refused as such."""
    with pytest.raises(VerificationError):
        proven_root(data)


def test_a_proof_larger_than_any_is_not_read() -> None:
    """The size of a proof is bounded before it is parsed."""
    with pytest.raises(VerificationError, match="larger than"):
        proven_root(b" " * (MOST_BYTES + 1))


def test_an_auditor_recomputes_the_root_from_the_list(key: RowKey, tree: Tree, commitment: Commitment) -> None:
    """The list of identifiers gives the root; a list with one more, one less or another order does not."""
    manifest = manifest_of(key, CONTENTS)
    check_manifest(commitment, manifest)
    for wrong in (manifest[32:], manifest_of(key, [*CONTENTS, "one more"]), manifest[32:] + manifest[:32]):
        with pytest.raises(VerificationError) as raised:
            check_manifest(commitment, wrong)
        assert raised.value.link == "manifest"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "another"},
        {"root": "00"},
        {"root": "AB" * 32},
        {"identifiers": -1},
        {"identifiers": True},
        {"key": None},
        {"key": {"modulus": "AAAA", "exponent": 65537, "challenges": []}},
    ],
)
def test_a_commitment_that_says_something_else_is_refused(key: RowKey, tree: Tree, change: dict[str, Any]) -> None:
    """Each member of a commitment is read strictly."""
    with pytest.raises(VerificationError):
        read_commitment({**describe_commitment(tree, key, "0" * 64), **change})


def test_a_key_without_its_signatures_is_refused(key: RowKey) -> None:
    """A modulus counts only with signatures over what follows from it: those of another key do not do."""
    mine, other = key.publish(), RowKey.generate().publish()
    read_public_key(mine)
    with pytest.raises(VerificationError, match="one identifier per content"):
        read_public_key({**mine, "challenges": other["challenges"]})
    with pytest.raises(VerificationError, match="8 signatures"):
        read_public_key({**mine, "challenges": mine["challenges"][:7]})


def test_a_key_is_kept_by_its_owner_alone(tmp_path: Path) -> None:
    """A key is stored for its owner only, is not overwritten, and not used when others can read it."""
    path = tmp_path / "rows.pem"
    with pytest.raises(NotFound):
        load_row_key(path)
    made = create_row_key(path)
    digest = content_digest("mine")
    assert load_row_key(path).identify(digest) == made.identify(digest)
    with pytest.raises(InputError, match="never overwritten"):
        create_row_key(path)
    path.chmod(0o644)
    with pytest.raises(InputError, match="others may read"):
        load_row_key(path)


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Another file, or an RSA key of another size, is not a key of rows."""
    path = tmp_path / "rows.pem"
    if content is None:
        large = generate_private_key(65537, 3072)
        content = large.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match="is not a key of rows"):
        load_row_key(path)
