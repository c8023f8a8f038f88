"""From a digest back to the data: what holds, what is missing, and what cannot be true."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.lineage.chain import Chain, Trouble, follow
from hallmarked.cards.lineage.graph import Manifest, build
from hallmarked.cards.lineage.licence import stated_licence
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.records.stage import Stage, Step
from tests.cards.lineage.example import check_report, provenance, stage, thing, whole
from tests.records.example import NOW, signed

TUNED = thing("tuned")


def chain(attestations: list[Attestation], target: Subject = TUNED, **options: object) -> Chain:
    return follow(build(attestations, target), **options)  # type: ignore[arg-type]


def troubles(found: Chain) -> list[Trouble]:
    return [problem.trouble for problem in found.problems]


def test_a_whole_chain_holds() -> None:
    """When somebody known signed for every stage and every link, nothing is missing, whatever the order."""
    for attestations in (whole(), whole()[::-1]):
        found = chain(attestations)
        assert found.holds, found.problems
        assert {found.node(key).title for key in found.order} == {"tuned", "base", "books", "mix", "web"}
        assert found.order[0] == found.graph.target


@pytest.mark.parametrize("left_out", range(8))
def test_each_missing_record_is_named(left_out: int) -> None:
    """Whichever record is left out, the chain does not hold, and a sentence names the thing it was about."""
    attestations = whole()
    gone = attestations.pop(left_out)
    found = chain(attestations)
    assert not found.holds
    assert not found.broken
    assert any(gone.statement.subjects[0].name in problem.message for problem in found.problems)


def test_nobody_signed_for_training() -> None:
    """A data set that is used as it is has no training behind it, and a model's chain says so."""
    attestations = [stage(thing("d"), Step.COLLECTED), stage(TUNED, Step.DEPLOYED)]
    messages = [problem.message for problem in chain(attestations).problems]
    assert "nobody signed for training tuned" in messages
    assert "nobody signed where tuned comes from" in messages
    assert "nobody signed for collecting tuned" in messages


def test_a_data_set_needs_its_collection_only() -> None:
    """Of a data set nobody has to have trained or deployed anything; what is asked for can be chosen."""
    attestations = [stage(thing("d"), Step.COLLECTED)]
    assert chain(attestations, thing("d")).holds
    assert not chain(attestations, thing("d"), expected=[Step.APPROVED]).holds


def test_materials_that_are_not_named() -> None:
    """Who trained but does not say on what leaves the chain open."""
    (problem,) = chain([stage(TUNED, Step.TRAINED)], expected=[]).problems
    assert "was trained, but not from what" in problem.message
    assert problem.trouble is Trouble.MISSING


def test_circles_are_named() -> None:
    """Something that was made from itself breaks the chain, and the things on the circle are named in order."""
    found = chain([*whole(), stage(thing("mix"), Step.CURATED, TUNED, time=NOW + timedelta(days=9))])
    cycles = [problem for problem in found.problems if problem.trouble is Trouble.CYCLE]
    assert found.broken
    assert "going back from tuned leads to it again (tuned, base, mix, tuned), and nothing" in cycles[0].message
    itself = chain([stage(TUNED, Step.TRAINED, TUNED)])
    assert itself.broken


def test_strangers_break_nobodys_chain() -> None:
    """A circle that somebody unknown states is told, and does not count as broken."""
    found = chain([*whole(), stage(thing("mix"), Step.CURATED, TUNED, role="")])
    assert not found.broken
    assert not found.holds
    assert Trouble.UNKNOWN_SIGNER in troubles(found)


def test_unknown_signers_leave_it_open() -> None:
    """A stage signed by a key nobody knows is shown, and does not make the chain hold."""
    attestations = [*whole()[:-1], stage(TUNED, Step.DEPLOYED, role="")]
    (problem,) = chain(attestations).problems
    assert problem.trouble is Trouble.UNKNOWN_SIGNER
    assert "that tuned was deployed" in problem.message


def test_two_signers_contradict_each_other() -> None:
    """Two who name different data of one training cannot both be right; one may know more than the other."""
    a, b = thing("a"), thing("b")
    attestations = [stage(TUNED, Step.TRAINED, a), stage(TUNED, Step.TRAINED, b, role="auditor")]
    (problem,) = [one for one in chain(attestations, expected=[]).problems if one.trouble.breaks]
    assert "trained from a" in problem.message
    assert "trained from b" in problem.message
    more = [stage(TUNED, Step.TRAINED, a), stage(TUNED, Step.TRAINED, a, b, role="auditor")]
    assert not chain(more, expected=[]).broken


def test_a_correction_replaces_what_was_signed_before() -> None:
    """Who signs for a stage again corrects what they signed before."""
    a, b = thing("a"), thing("b")
    attestations = [stage(TUNED, Step.TRAINED, a), stage(TUNED, Step.TRAINED, b, time=NOW + timedelta(days=1))]
    found = chain(attestations, expected=[])
    assert [found.node(key).title for key in found.order] == ["tuned", "b"]


def test_made_before_what_it_was_made_from() -> None:
    """A model that was trained before its data were collected cannot be."""
    attestations = [
        stage(thing("d"), Step.COLLECTED, time=NOW + timedelta(days=1)),
        stage(TUNED, Step.TRAINED, thing("d")),
    ]
    found = chain(attestations, expected=[])
    assert troubles(found) == [Trouble.CONTRADICTION]
    assert "before d" in found.problems[0].message


def test_a_digest_of_another_thing() -> None:
    """Who ties one thing's digests to another's is named, and not believed."""
    one, other = (
        thing("one", dirHash="aa" * 32, gitCommit="11" * 20),
        thing("other", dirHash="bb" * 32, gitCommit="11" * 20),
    )
    found = chain([stage(one, Step.COLLECTED), stage(other, Step.COLLECTED)], one)
    assert troubles(found) == [Trouble.CONTRADICTION]
    assert "digests that belong to different things" in found.problems[0].message


def test_strangers_cannot_tie_things_together() -> None:
    """A stranger's statement about two digests does not pass an approval on from one model to another."""
    good, bad = thing("good", gitCommit="11" * 20), thing("bad", dirHash="bb" * 32)
    tie = Subject("bad", {**good.digest, **bad.digest})
    attestations = [stage(good, Step.APPROVED), stage(tie, Step.EVALUATED, role="community")]
    assert not build(attestations, bad).nodes[build(attestations, bad).target].at(Step.APPROVED)
    trusted = [stage(good, Step.APPROVED), stage(tie, Step.EVALUATED, role="hub")]
    assert build(trusted, bad).nodes[build(trusted, bad).target].at(Step.APPROVED)


def test_builds_are_links_between_folders() -> None:
    """What a program wrote down about single files links the folders that hold them."""
    files = {path: thing(path).digest["sha256"] for path in ("a.parquet", "b.parquet")}
    built, source = thing("built", dirHash="aa" * 32), thing("source", dirHash="bb" * 32)
    attestations = [
        check_report(built, "inventory", files=files),
        provenance([thing("a.parquet"), thing("b.parquet")], [source]),
        stage(source, Step.COLLECTED),
    ]
    found = chain(attestations, built, expected=[Step.COLLECTED])
    assert found.holds, found.problems
    assert [found.node(key).title for key in found.order] == ["built", "source"]
    without = [attestations[0], attestations[1]]
    assert "nobody signed where source comes from, from which built was made" in [
        problem.message for problem in chain(without, built, expected=[]).problems
    ]


def test_a_card_names_its_base() -> None:
    """A base that only the card names is a link nobody signed, until its bytes are signed under that name."""
    said = {"measurements": [{"metric": "claim.base_model", "value": "acme/base"}]}
    card = check_report(TUNED, "documentation", **said)
    found = chain([card], expected=[])
    assert "names acme/base, but nobody signed which bytes that was" in " ".join(one.message for one in found.problems)
    base = thing("acme/base")
    signed_for = [card, stage(TUNED, Step.FINE_TUNED, base), stage(base, Step.COLLECTED)]
    assert chain(signed_for, expected=[]).holds


def test_files_that_are_not_as_collected() -> None:
    """Who says of these bytes that a file in them is another one contradicts what lies here."""
    files = {"a.csv": "aa" * 32}
    attestations = [stage(TUNED, Step.COLLECTED, files=files)]
    graph = build(attestations, TUNED)
    assert follow(graph, manifest=Manifest(TUNED, files)).holds
    for other in ({"a.csv": "bb" * 32}, {}):
        assert (
            "which the files at hand do not hold" in follow(graph, manifest=Manifest(TUNED, other)).problems[0].message
        )


def test_statements_that_cannot_be_read() -> None:
    """A broken record is named and crashes nothing; nor do strange statements of other kinds."""
    strange = [
        signed(Statement((TUNED,), Stage.predicate_type(), {"stage": ["x"]})),
        signed(Statement((TUNED,), "https://slsa.dev/provenance/v1", {"buildDefinition": [1]})),
        signed(
            Statement(
                (TUNED,),
                "https://slsa.dev/provenance/v1",
                {"buildDefinition": {"resolvedDependencies": [{"digest": {}}, 5]}},
            )
        ),
        check_report(TUNED, "inventory", files={"a": 5}),
        check_report(TUNED, "documentation", measurements=[{"metric": "claim.dataset"}, 5]),
    ]
    assert Trouble.UNREADABLE in troubles(chain([*whole(), *strange]))
    assert Trouble.MISSING in troubles(chain([]))


NODES = [thing(f"n{at}") for at in range(8)]


@settings(max_examples=60)
@given(
    st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] < pair[1]), max_size=20),
    st.randoms(use_true_random=False),
)
def test_links_without_circles_have_none(pairs: set[tuple[int, int]], random: object) -> None:
    """No circle is told of where there is none; one link back closes one, and every step told of is a link."""
    attestations = [
        stage(NODES[at], Step.CURATED, *(NODES[to] for of, to in sorted(pairs) if of == at)) for at in range(len(NODES))
    ]
    random.shuffle(attestations)  # type: ignore[attr-defined]
    found = chain(attestations, NODES[0], expected=[])
    assert Trouble.CYCLE not in troubles(found)
    reached = [int(found.node(key).title[1:]) for key in found.order]
    for last in reached:
        closing = stage(NODES[last], Step.TRAINED, NODES[0], time=NOW)
        closed = chain([*attestations, closing], NODES[0], expected=[])
        cycles = [problem for problem in closed.problems if problem.trouble is Trouble.CYCLE]
        assert cycles
        links = {(edge.child, edge.parent) for edge in closed.graph.edges}
        for cycle in cycles:
            assert all(pair in links for pair in zip(cycle.things, [*cycle.things[1:], cycle.things[0]], strict=True))


def test_long_chains() -> None:
    """A chain of thousands of links is followed without going deep, a circle at its end included."""
    links = [stage(thing(f"t{at}"), Step.CURATED, thing(f"t{at + 1}")) for at in range(1500)]
    found = chain([*links, stage(thing("t1500"), Step.CURATED, thing("t0"))], thing("t0"), expected=[])
    assert len(found.order) == 1501
    assert troubles(found) == [Trouble.CYCLE]


def test_licences_are_carried_along() -> None:
    """Data under a licence that asks for the same licence may not be passed on under another one, however far back."""
    web, mix, tuned = thing("web"), thing("mix"), thing("tuned")

    def found(licence: str, stated: str, *, role: str = "maker") -> list[str]:
        said = Stage(stage=Step.COLLECTED, by="Example Team", time=NOW, licence=licence)
        card = check_report(tuned, "documentation", measurements=[{"metric": "claim.license", "value": stated}])
        attestations = [
            signed(said.to_statement(web), role=role),
            stage(mix, Step.CURATED, web),
            stage(tuned, Step.CURATED, mix),
            card,
        ]
        graph = build(attestations, tuned)
        problems = follow(graph, expected=[], licence=stated_licence(attestations, tuned)).problems
        return [problem.message for problem in problems if problem.trouble is Trouble.LICENCE]

    (message,) = found("cc-by-sa-4.0", "mit")
    assert "web, collected by Example Team" in message
    assert found("cc-by-sa-4.0", "cc-by-sa-4.0") == []
    assert found("cc-by-4.0", "") == []
    assert found("cc-by-sa-4.0", "mit", role="") == []
