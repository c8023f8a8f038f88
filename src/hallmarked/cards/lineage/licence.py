"""Licences along a chain of data sets: what sources ask for, and whether what was made from them keeps it."""

from __future__ import annotations

from collections.abc import Iterable

from hallmarked.cards.lineage.graph import Basis, Graph
from hallmarked.cards.record import CARD_CHECK, Record
from hallmarked.checks.provenance.licence import carry
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.policy.fact import is_about
from hallmarked.records.stage import Step


def stated_licence(attestations: Iterable[Attestation], thing: Subject) -> str:
    """Return the licence that the card of something states; empty when it states none, or no one card was read."""
    about = [one for one in attestations if is_about(one.statement, thing)]
    card = Record(sorted(about, key=lambda one: one.time)).reports.get(CARD_CHECK)
    said = [item.value for item in card.measurements if item.metric == "claim.license"] if card is not None else []
    return said[0] if len(set(said)) == 1 else ""


def conflicts(graph: Graph, stated: str) -> tuple[str, ...]:
    """Return where a stated licence does not keep what the licences of its sources ask for, one sentence each.

    Only data that were curated or built into other data are followed: what training makes of a licence is not for a
    program to say.

    Args:
        graph: What was made from what.
        stated: The licence of the thing the graph is about.
    """
    waiting, seen, sources = [graph.target], {graph.target}, {}
    for key in waiting:
        node = graph.nodes[key]
        for one in node.at(Step.COLLECTED):
            if one.record.licence and one.source.role:
                sources[f"{node.title}, collected by {one.record.by}"] = one.record.licence
        for edge in graph.made_from(key):
            of_data = edge.step is Step.CURATED or edge.basis is Basis.PROVENANCE
            if of_data and edge.parent not in seen:
                seen.add(edge.parent)
                waiting.append(edge.parent)
    return carry(sources, stated).conflicts if stated and sources else ()
