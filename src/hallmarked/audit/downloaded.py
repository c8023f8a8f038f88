"""Compare files with evidence that was made before anybody downloaded them.

An audit of a remote revision read most large files in part. Its inventory lists the digest of every file that it read
whole, and for every other one the bytes it read, their digest, and the digest that the hub stated. Somebody who has
the files can check all three, so a hub that shows one thing to an auditor and another to a downloader is found out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.ledger.verify import Verified

_CHUNK = 1 << 20
_MOST_RANGES = 100_000


@dataclass(slots=True)
class Comparison:
    """How a folder relates to what was audited on a hub."""

    whole: int = 0
    """Files that the audit read whole, and that are the same here."""
    partial: int = 0
    """Files of which every byte that was read, and the stated digest of the whole, are those of the file here."""
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether these are the files that were audited."""
        return not self.changed and not self.missing


def compare_downloaded(verified: Verified, artifact: LocalArtifact) -> Comparison | None:
    """Compare files with evidence about a revision on a hub; None when the evidence is not of that kind.

    Raises:
        BackendError: When a file cannot be read.
    """
    listed = [predicate for predicate in _predicates(verified) if isinstance(predicate.get("partial"), dict)]
    commits = {str(digest) for digest in _subjects(verified)}
    if len(listed) != 1 or len(commits) != 1 or "gitCommit" not in commits.pop():
        return None
    whole, partial = listed[0].get("files", {}), listed[0]["partial"]
    ours, found = artifact.digests(), Comparison()
    sizes = {file.path: file.size for file in artifact.files}
    for path in {**whole, **partial}:
        if path not in ours:
            found.missing.append(path)
        elif whole.get(path) == ours[path]:
            found.whole += 1
        elif path in partial and _is_same(artifact, path, sizes[path], partial[path]):
            found.partial += 1
        else:
            found.changed.append(path)
    found.added = [path for path in ours if path not in whole and path not in partial]
    return found


def _predicates(verified: Verified) -> Iterator[Mapping[str, Any]]:
    for entry in verified.entries:
        predicate = entry.statement.get("predicate")
        if isinstance(predicate, dict):
            yield predicate


def _subjects(verified: Verified) -> Iterator[Mapping[str, str]]:
    for entry in verified.entries:
        for subject in entry.statement["subject"]:
            yield subject["digest"]


def _is_same(artifact: LocalArtifact, path: str, size: int, told: Any) -> bool:
    if not isinstance(told, dict) or told.get("size") != size or not isinstance(told.get("stated"), dict):
        return False
    stated = told["stated"]
    if "sha256" in stated:
        same = stated["sha256"] == artifact.digests()[path]
    else:
        same = stated.get("gitBlob") == _git_blob(artifact, path, size)
    return same and ("read" not in told or _has_ranges(artifact, path, told["read"]))


def _git_blob(artifact: LocalArtifact, path: str, size: int) -> str:
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with artifact.open(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _has_ranges(artifact: LocalArtifact, path: str, read: Any) -> bool:
    ranges = read.get("ranges") if isinstance(read, dict) else None
    if not isinstance(ranges, list) or len(ranges) > _MOST_RANGES or not all(_is_range(pair) for pair in ranges):
        return False
    digest = hashlib.sha256()
    with artifact.open(path) as stream:
        for start, end in ranges:
            stream.seek(start)
            left = end - start
            while left and (chunk := stream.read(min(left, _CHUNK))):
                digest.update(chunk)
                left -= len(chunk)
    return bool(digest.hexdigest() == read.get("sha256"))


def _is_range(pair: Any) -> bool:
    numbers: Sequence[Any] = pair if isinstance(pair, list) and len(pair) == 2 else (None,)
    return all(type(number) is int for number in numbers) and 0 <= pair[0] < pair[1] <= 1 << 53
