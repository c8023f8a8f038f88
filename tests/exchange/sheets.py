"""Sheets, made at random, and one that a reader would recognise."""

from __future__ import annotations

from hypothesis import strategies as st

from hallmarked.exchange.sheet import Asked, Claim, Energy, FileEntry, Part, Result, Sheet

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(
    lambda text: text.strip() or "x"
)
hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
decimals = st.decimals(0, 1000, places=3).map(str)
statements = st.lists(hexes.map("sha256:{}".format), max_size=2, unique=True).map(tuple)
slices = st.dictionaries(words, words, max_size=2).map(lambda found: tuple(sorted(found.items())))
results = st.builds(
    Result,
    words,
    decimals,
    st.sampled_from(["", "%"]),
    st.none() | st.integers(0, 10**6),
    st.none() | st.tuples(decimals, decimals),
    slices,
    st.just("") | words,
    st.sampled_from(["supported", "stale"]),
    statements,
)
claims = st.builds(Claim, words, words, words, st.sampled_from(["supported", "contradicted"]), words, statements)
entries = st.builds(FileEntry, words, hexes, st.none() | st.integers(0, 10**12))
digests = st.sampled_from([(), (("dirHash", "a" * 64),), (("sha256", "b" * 64),)])
parts = st.builds(Part, st.sampled_from(["base-model", "dataset", "software", "hardware", "prompt"]), words, digests)
energies = st.builds(
    Energy,
    st.sampled_from(["training", "inference"]),
    st.just("") | decimals,
    st.just("") | decimals,
    st.just("measured"),
)
asked = st.builds(Asked, words, words, st.sampled_from(["met", "missing", "fails"]), words, statements, st.just(()))


def several(what: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """Up to three, each once."""
    return st.lists(what, unique=True, max_size=3).map(tuple)


sheets = st.builds(
    Sheet,
    kind=st.sampled_from(["model", "dataset", "system"]),
    name=words,
    digest=st.sampled_from([(("dirHash", "c" * 64),), (("gitCommit", "d" * 40), ("sha256", "e" * 64))]),
    created=st.just("2026-11-21T09:00:00Z"),
    description=st.just("") | words,
    version=st.just("") | words,
    licences=st.sampled_from([(), ("Apache-2.0",), ("other",), ("MIT", "CC-BY-4.0")]),
    languages=st.sampled_from([(), ("en", "es")]),
    tags=several(words),
    authors=several(words),
    library=st.just("") | words,
    task=st.just("") | words,
    architecture=st.just("") | words,
    parameters=st.sampled_from(["", "4160"]),
    sections=st.dictionaries(st.sampled_from(["direct-use", "limitations", "summary"]), words, max_size=3).map(
        lambda found: tuple(found.items())
    ),
    results=several(results),
    claims=several(claims),
    files=several(entries),
    parts=several(parts),
    energy=several(energies),
    asked=several(asked),
)

FIRST, SECOND = ("sha256:" + digit * 64 for digit in "12")
TRIAGE = Sheet(
    kind="model",
    name="acme/triage",
    digest=(("dirHash", "8c" * 32),),
    created="2026-11-21T09:00:00Z",
    description="Sorts notes into urgent and not urgent.",
    version="1",
    licences=("Apache-2.0",),
    languages=("en", "es"),
    tags=("triage",),
    authors=("Acme",),
    library="transformers",
    task="text-classification",
    architecture="BertForSequenceClassification",
    parameters="4160",
    sections=(("direct-use", "For nurses who sort notes."), ("limitations", "Misses rare illnesses.")),
    results=(
        Result("recall", "0.93", "", 512, ("0.91", "0.95"), (("group", "women"),), "notes", "supported", (FIRST,)),
        Result("recall", "0.95", "", 1024, None, (), "notes", "self-asserted"),
    ),
    claims=(
        Claim("library", "transformers", "It is loaded with transformers.", "supported", "the files are", (SECOND,)),
    ),
    files=(FileEntry("model.safetensors", "3" * 64, 16792),),
    parts=(
        Part("base-model", "google-bert/bert-base-uncased"),
        Part("dataset", "acme/notes", (("dirHash", "4" * 64),)),
    ),
    energy=(Energy("training", "1.5", "600", "measured"),),
    asked=(Asked("hospital_triage", "recall", "fails", "0.93 is not >= 0.95", (FIRST,), ("eu-ai-act#art15",)),),
)
