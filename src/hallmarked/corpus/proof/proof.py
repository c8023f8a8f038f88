"""Show to somebody who has a content whether a version of a data set holds it, so that they can check it offline.

Two documents: the *commitment*, which the owner signs with each version (the predicate of a statement), and a *proof*
about one content, a JSON object of less than 2 KiB that anybody can check against the commitment.
"""

from __future__ import annotations

import base64
import json
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmarked.core.errors import FormatError, VerificationError
from hallmarked.corpus.proof.identifier import SIZE, drawer_of, identifier
from hallmarked.corpus.proof.key import PublicRowKey, RowKey, read_public_key
from hallmarked.corpus.proof.tree import Path, Tree, root_of_path
from hallmarked.ledger.strict import b64decode, fail, members, parse_json

PREDICATE_TYPE = "urn:hallmarked:row-commitment:v1"
MEDIA_TYPE = "application/vnd.hallmarked.row-proof.v1+json"
MOST_BYTES = 1 << 15
"""A proof is far smaller, even when its tree is as deep as an identifier is long."""
STEP = 1 + SIZE
"""Bytes of a step: the bit, and the hash of the other side."""
METHOD = "nfc-spaces-sha256/rsa-drawers-14/radix-sha256"
"""Names how contents become identifiers and these a tree; another way has another name."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an owner commits to."""

    root: bytes
    identifiers: int
    """Different identifiers in the tree."""
    key: PublicRowKey


def describe_commitment(tree: Tree, key: RowKey, manifest: str) -> dict[str, Any]:
    """Write the commitment to a tree as the predicate of a statement.

    Args:
        tree: The identifiers of a version.
        key: Made them.
        manifest: SHA-256 of the list of identifiers as lower-case hex.
    """
    return {
        "method": METHOD,
        "root": tree.root.hex(),
        "identifiers": tree.count,
        "manifest": {"sha256": manifest},
        "key": key.publish(),
    }


def read_commitment(predicate: Mapping[str, Any]) -> Commitment:
    """Read a commitment; further members say more about it and do not matter here.

    Raises:
        VerificationError: When it is not one, or of another method, or its key cannot be relied on.
    """
    if predicate.get("method") != METHOD:
        fail("commitment", f"the commitment was not made by the method {METHOD}")
    root, count = predicate.get("root"), predicate.get("identifiers")
    if not isinstance(root, str) or not isinstance(count, int) or isinstance(count, bool) or count < 0:
        fail("commitment", "the commitment has no root or no number of identifiers")
    try:
        digest = bytes.fromhex(root)
    except ValueError:
        digest = b""
    if len(digest) != SIZE or digest.hex() != root:
        fail("commitment", "the root of the commitment is not a SHA-256 in lower-case hex")
    return Commitment(digest, count, read_public_key(predicate.get("key")))


def check_manifest(commitment: Commitment, manifest: bytes | mmap.mmap) -> None:
    """Compute the root again from the list of all identifiers, as an auditor does.

    Raises:
        VerificationError: When the list is not the one that was committed to.
    """
    try:
        tree = Tree(manifest)
    except FormatError as error:
        raise VerificationError(f"the list of identifiers is damaged: {error}", link="manifest") from error
    if tree.root != commitment.root or tree.count != commitment.identifiers:
        fail("manifest", "the list of identifiers is not the one that was committed to")


def prove(tree: Tree, key: RowKey, digest: bytes) -> bytes:
    """Write a proof that a content is in a version, or that it is not.

    Args:
        tree: The identifiers of the version.
        key: Made them.
        digest: Of the content, see ``content_digest``.
    """
    path = tree.find_path(key.identify(digest))
    proof = {
        "mediaType": MEDIA_TYPE,
        "root": _encode(tree.root),
        "content": _encode(digest),
        "drawer": _encode(key.open_drawer(drawer_of(digest))),
        "leaf": None if path.leaf is None else _encode(path.leaf),
        "path": _encode(b"".join(bytes((bit,)) + sibling for bit, sibling in path.steps)),
    }
    return json.dumps(proof, separators=(",", ":")).encode() + b"\n"


def proven_root(proof: bytes) -> bytes:
    """Return the root that a proof is about, so that its commitment can be found; nothing is checked by this.

    Raises:
        VerificationError: When it is not a proof.
    """
    return _read(proof)[0]


def check_proof(proof: bytes, commitment: Commitment, digest: bytes) -> bool:
    """Say whether a version holds a content: True when the proof shows that it does, False when that it does not.

    Args:
        proof: The bytes of the proof.
        commitment: Of the version, out of a statement whose signature was checked.
        digest: Of the content one has, see ``content_digest``.

    Raises:
        VerificationError: When the proof shows neither, or is about something else.
    """
    root, stated, signature, path = _read(proof)
    if stated != digest:
        fail("content", "the proof is about another content")
    if root != commitment.root:
        fail("root", "the proof is about another version than the commitment")
    meant = identifier(commitment.key.check_drawer(drawer_of(digest), signature), digest)
    try:
        led = root_of_path(meant, path)
    except ValueError as error:
        fail("path", f"the proof's path is not one that a tree has: {error}")
    if led != commitment.root:
        fail("path", "the proof's path does not lead to the root of the commitment")
    return path.leaf == meant


def _read(proof: bytes) -> tuple[bytes, bytes, bytes, Path]:
    """Read a proof's root, the content it is about, the signature that opens its drawer, and its path."""
    if len(proof) > MOST_BYTES:
        fail("proof", f"the proof is larger than {MOST_BYTES >> 10} KiB")
    row = members(parse_json(proof, "proof"), "content drawer leaf mediaType path root", link="proof")
    if row["mediaType"] != MEDIA_TYPE:
        fail("proof", f"the proof is not of type {MEDIA_TYPE}")
    root, content = b64decode(row["root"], "proof"), b64decode(row["content"], "proof")
    leaf = None if row["leaf"] is None else b64decode(row["leaf"], "proof")
    steps = b64decode(row["path"], "proof")
    if len(root) != SIZE or len(content) != SIZE or (leaf is not None and len(leaf) != SIZE) or len(steps) % STEP:
        fail("proof", "the proof holds something that is not as long as a SHA-256")
    path = Path(leaf, tuple((steps[at], steps[at + 1 : at + STEP]) for at in range(0, len(steps), STEP)))
    return root, content, b64decode(row["drawer"], "proof"), path


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
