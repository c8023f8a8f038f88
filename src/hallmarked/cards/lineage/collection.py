"""How the data were collected: the events, and the files that are in none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hallmarked.cards.lineage.graph import PROVENANCE, Manifest
from hallmarked.core.evidence import Attestation
from hallmarked.corpus.provenance.graph import is_account
from hallmarked.records.record import Signed, records
from hallmarked.records.stage import Stage, Step

ABOUT = ("README.md", "dataset.toml", "superseded.toml", "scope.yaml", ".gitattributes", "LICENSE", "LICENSE.md")
"""Files that tell of the data and are none."""


@dataclass(frozen=True, slots=True)
class Collection:
    """How data were collected."""

    events: tuple[Signed[Stage], ...]
    """Oldest first: who, when, how, with what, and what was taken for granted."""
    covered: int
    """Files that come from an event, or that a program made from others and wrote down from which."""
    orphans: tuple[str, ...]
    """Files of which nobody says where they come from."""

    @property
    def sentence(self) -> str:
        """What it comes to, as one sentence."""
        total = self.covered + len(self.orphans)
        if not self.orphans:
            return f"All {total:,} files come from {len(self.events):,} events that were signed"
        shown = ", ".join(self.orphans[:5]) + (" …" if len(self.orphans) > 5 else "")
        return f"{len(self.orphans):,} of {total:,} files come from no event that was signed: {shown}"


def collect(attestations: Iterable[Attestation], manifest: Manifest) -> Collection:
    """Hold the files of a data set against what was signed about collecting them.

    A file is known by its contents, so that an event that was signed about an earlier version still covers what stayed.
    Only events by signers who are known count.

    Args:
        attestations: Statements about the data set, its earlier versions and its sources.
        manifest: Its files.
    """
    known = [one for one in attestations if one.role]
    stages = [one for one in records(Stage, known) if one.record.stage is Step.COLLECTED]
    brought = {digest for one in stages for digest in one.record.files.values()} | set(_made(known))
    present = set(manifest.files.values())
    files = {path: digest for path, digest in manifest.files.items() if path not in ABOUT and not is_account(path)}
    orphans = tuple(sorted(path for path, digest in files.items() if digest not in brought))
    events = tuple(one for one in stages if present & set(one.record.files.values()))
    return Collection(events, len(files) - len(orphans), orphans)


def _made(attestations: Sequence[Attestation]) -> Iterator[str]:
    """Yield digests of files that a program made from others, and wrote down from which."""
    for one in attestations:
        definition = one.statement.predicate.get("buildDefinition")
        inputs = definition.get("resolvedDependencies") if isinstance(definition, dict) else None
        if one.statement.predicate_type == PROVENANCE and inputs:
            yield from (str(subject.digest.get("sha256", "")) for subject in one.statement.subjects)
