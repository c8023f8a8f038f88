"""Follow files at hand back to the data: the views of ``cards.lineage`` over their evidence and their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.cards.lineage.chain import Chain, follow
from hallmarked.cards.lineage.collection import Collection, collect
from hallmarked.cards.lineage.graph import Manifest, build
from hallmarked.cards.lineage.inherit import Inherited, inherited
from hallmarked.cards.lineage.licence import stated_licence
from hallmarked.core.evidence import Attestation
from hallmarked.records.stage import Step


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where something comes from."""

    chain: Chain
    collection: Collection | None
    """Of a data set, how its files were collected."""
    inherited: tuple[Inherited, ...]

    @property
    def status(self) -> int:
        """0 every link is there and signed by somebody known, 1 something cannot be true, 2 something is missing."""
        if self.chain.broken:
            return 1
        return 0 if self.chain.holds and not (self.collection and self.collection.orphans) else 2


def trace(artifact: LocalArtifact, attestations: Sequence[Attestation], expected: Sequence[Step] = ()) -> Lineage:
    """Follow files back to the data.

    Args:
        artifact: The files.
        attestations: What is stated about them, and about what they were made from.
        expected: Stages that somebody must answer for; none for what is usual.

    Raises:
        BackendError: When a file cannot be read.
    """
    manifest = Manifest(artifact.subject, artifact.digests())
    graph = build(attestations, artifact.subject, manifest)
    licence = stated_licence(attestations, artifact.subject)
    chain = follow(graph, expected=expected or None, manifest=manifest, licence=licence)
    collected = collect(attestations, manifest) if graph.nodes[graph.target].at(Step.COLLECTED) else None
    return Lineage(chain, collected, inherited(graph, attestations))
