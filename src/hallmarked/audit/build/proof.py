"""Show, and check, that a version holds a content or does not: proofs against signed commitments."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hallmarked.audit.build.build import DELETED, MANIFEST
from hallmarked.audit.verify import BROKEN, HOLDS, OPEN, read_file
from hallmarked.core.errors import BackendError, FormatError, InputError, NotFound
from hallmarked.core.text import clean
from hallmarked.corpus.proof import proof as proofs
from hallmarked.corpus.proof.identifier import content_digest
from hallmarked.corpus.proof.key import RowKey
from hallmarked.corpus.proof.tree import Tree
from hallmarked.corpus.provenance.document import EVIDENCE
from hallmarked.ledger.strict import fail
from hallmarked.ledger.trust import Trust
from hallmarked.ledger.verify import VerifiedEntry, verify_bundle
from hallmarked.transforms.dataset.provenance import DELETION_TYPE

MOST_CONTENT = 64 << 20
"""Bytes of a content that somebody asks about."""


def read_content(path: Path) -> bytes:
    """Return the digest of the text in a file.

    Raises:
        InputError: When it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_CONTENT + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    if len(data) > MOST_CONTENT:
        raise InputError(f"{path} is larger than {MOST_CONTENT >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text: it is not UTF-8") from None
    if not text.strip():
        raise InputError(f"{path} holds no text; rows without text are not committed to, so nothing is shown of them")
    return content_digest(text)


def prove_content(folder: Path, digest: bytes, key: RowKey, *, deleted: bool = False) -> tuple[bytes, bool]:
    """Make a proof about a content, for whoever has it.

    Args:
        folder: A version that was built.
        digest: Of the content.
        key: Made the identifiers.
        deleted: Ask whether it was among what was deleted, instead of what is there.

    Returns:
        The proof, and whether the content is there.

    Raises:
        InputError: When the version was built with another key, or its list of identifiers is not the one that was
            signed.
        NotFound: When there is no such version.
    """
    name = DELETED if deleted else MANIFEST
    entries = _commitments(verify_bundle(read_file(folder / EVIDENCE)).entries)
    with _mapped(folder / name) as data:
        try:
            tree = Tree(data)
        except FormatError as error:
            raise InputError(f"{folder / name} is damaged: {error}") from error
        try:
            proof = proofs.prove(tree, key, digest)
            root = tree.root
        finally:
            tree.close()
    meant = [each for each in entries if each.predicate["root"] == root.hex() and each.deleted == deleted]
    if not meant:
        raise InputError(f"{folder / name} is not the list of identifiers that {EVIDENCE} is about")
    commitment = proofs.read_commitment(meant[-1].predicate)
    if meant[-1].predicate["key"]["modulus"] != key.publish()["modulus"]:
        raise InputError(f"{folder} was built with another key of rows; name it with --rows-key")
    return proof, proofs.check_proof(proof, commitment, digest)


@contextmanager
def _mapped(path: Path) -> Iterator[bytes | mmap.mmap]:
    """Give the bytes of a file without reading all of it."""
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                yield b""
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except FileNotFoundError:
        raise NotFound(f"there is no {path}; is this a version that hallmarked corpus build made?") from None
    except OSError as error:
        raise BackendError(f"cannot read {path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment in evidence."""

    entry: VerifiedEntry
    predicate: Mapping[str, Any]
    deleted: bool
    """Whether it is to what was deleted."""


def _commitments(entries: tuple[VerifiedEntry, ...]) -> list[Commitment]:
    found = []
    for entry in entries:
        predicate = entry.statement.get("predicate", {})
        if entry.predicate_type == DELETION_TYPE:
            found.append(Commitment(entry, predicate.get("commitment", {}), True))
        elif entry.predicate_type == proofs.PREDICATE_TYPE:
            found.append(Commitment(entry, predicate, False))
    return [each for each in found if isinstance(each.predicate, dict) and isinstance(each.predicate.get("root"), str)]


@dataclass(slots=True)
class Shown:
    """What a proof came to."""

    status: int = HOLDS
    """0 shown to be left out (or deleted), 1 shown to be there (or not deleted), 2 not by somebody trusted."""
    there: bool = False
    """Whether the content is in what was committed to."""
    deleted: bool = False
    lines: list[str] = field(default_factory=list)
    """The result in sentences."""


def check_content(proof: bytes, evidence: bytes, trust: Trust, digest: bytes) -> Shown:
    """Check a proof about a content against the evidence of a version, offline.

    Args:
        proof: What the owner gave.
        evidence: ``evidence.json`` of the version.
        trust: Whom to trust.
        digest: Of the content one has.

    Raises:
        VerificationError: When the evidence or the proof does not hold.
    """
    root = proofs.proven_root(proof)
    verified = verify_bundle(evidence, trust)
    meant = [each for each in _commitments(verified.entries) if each.predicate["root"] == root.hex()]
    if not meant:
        fail("root", "the proof is about another version than the evidence")
    # Trusted ones first; what is there and what was deleted may be equal, when both are nothing.
    found = sorted(meant, key=lambda each: (not each.entry.trusted, each.deleted))[0]
    there = proofs.check_proof(proof, proofs.read_commitment(found.predicate), digest)
    shown = Shown(there=there, deleted=found.deleted)
    shown.lines.append(f"{'✔✖'[there != found.deleted]} {_say(there, found.deleted)}")
    shown.status = BROKEN if there != found.deleted else HOLDS
    time = f"{found.entry.time:%Y-%m-%d %H:%M} UTC"
    files = len(found.entry.statement["subject"])
    shown.lines.append(f"· Said on {time} about a version of {files:,} files; the first is {_first(found.entry)}")
    if found.entry.trusted:
        shown.lines.append(f"✔ Trusted: {clean(found.entry.reason)}")
    else:
        shown.status = max(shown.status, OPEN) if shown.status != BROKEN else BROKEN
        shown.lines.append(f"? Not trusted: {clean(found.entry.reason)}; name the keys you trust with --key or --trust")
    return shown


def _say(there: bool, deleted: bool) -> str:
    if deleted:
        return (
            "Deleted: this content was among the rows left out because they may not be kept any more"
            if there
            else ("Not deleted: this content was not among the rows left out because they may not be kept any more")
        )
    return "In it: this version holds this content" if there else "Not in it: this version does not hold this content"


def _first(entry: VerifiedEntry) -> str:
    subject = entry.statement["subject"][0]
    return clean(f"{subject.get('name', '')} ({', '.join(f'{k} {v[:16]}…' for k, v in subject['digest'].items())})")
