"""The list of consents: signature, matching, the most restrictive decision."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.list import ConsentList, Heading, write_list
from hallmarked.corpus.consent.match import Row
from hallmarked.corpus.consent.record import Entry, Mode, Said, Scope, Use, make_entry
from hallmarked.corpus.consent.selector import Kind, file_digest, text_digest
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.trust import Role, Trust, TrustedKey

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KEY = RegistryKey((b"k" * 32,))
SIGNER = SigningKey.generate()
TRUST = Trust((TrustedKey(SIGNER.public, Role.HUB, "registry"),))
HEADING = Heading("registry.example", NOW, "2026-11", 7)
OUT, IN = Scope(Mode.OPT_OUT), Scope(Mode.OPT_IN)
POEM = " ".join(f"line{number} of a poem that nobody else wrote" for number in range(30))


def entry(kind: Kind, value: str, scope: Scope = OUT) -> Entry:
    return make_entry(KEY, kind, value, scope, since=NOW)


def listed(*entries: Entry) -> ConsentList:
    return ConsentList.load(write_list(entries, HEADING, KEY, SIGNER), KEY, TRUST)


ROWS = [
    (Kind.ACCOUNT, "alice", Row(account="Alice"), Row(account="alicia")),
    (Kind.ACCOUNT, "github.com/alice", Row(repository="https://github.com/Alice/x"), Row(repository="alice/x")),
    (Kind.REPOSITORY, "acme/tools", Row(repository="acme/Tools.git"), Row(repository="acme/tool")),
    (Kind.DOMAIN, "example.org", Row(domain="www.Example.org"), Row(domain="example.com")),
    (Kind.DOMAIN, "example.org", Row(url="https://blog.example.org:8443/a"), Row(url="https://notexample.org/a")),
    (Kind.DOMAIN, "example.org", Row(url="example.org:8443?q=1"), Row(url="//user@other.org/example.org")),
    (Kind.URL, "https://example.org/works", Row(url="http://example.org/works/1?x=2"), Row(url="example.org/workshop")),
    (Kind.CONTENT, text_digest(POEM), Row(text=POEM.upper()), Row(text=POEM + " more")),
    (Kind.CONTENT, file_digest(b"picture"), Row(data=b"picture"), Row(data=b"pictures")),
    (Kind.CONTENT, file_digest(b"picture"), Row(digests=(file_digest(b"picture"),)), Row(digests=())),
    (Kind.SIMILAR, POEM, Row(text=POEM.replace("line7 ", "verse ")), Row(text="other words " * 50)),
]


@pytest.mark.parametrize(("kind", "value", "meant", "other"), ROWS)
def test_each_kind_finds_its_rows_and_no_others(kind: Kind, value: str, meant: Row, other: Row) -> None:
    """A row that is meant is denied with the kind as reason; one that only looks alike has no record."""
    consents = listed(entry(kind, value))
    decision = consents.decide(meant)
    assert (decision.said, decision.kind, decision.mode) == (Said.DENIED, kind, Mode.OPT_OUT)
    assert consents.decide(other).said is Said.NONE
    assert list(consents.decide_all([other, meant, other])) == [
        consents.decide(other),
        decision,
        consents.decide(other),
    ]


def test_a_copy_under_another_owner_is_caught_by_content_and_not_by_account() -> None:
    """The two promises are different: an account's holds for its place, content's for every place."""
    copy = Row(account="mallory", repository="mallory/copy", url="https://mallory.example/1", text=POEM)
    assert listed(entry(Kind.ACCOUNT, "alice")).decide(copy).said is Said.NONE
    assert listed(entry(Kind.CONTENT, text_digest(POEM))).decide(copy).kind is Kind.CONTENT
    edited = Row(account="mallory", text=POEM.replace("line3 ", "l3 "))
    assert listed(entry(Kind.SIMILAR, POEM)).decide(edited).kind is Kind.SIMILAR


def test_a_work_is_found_in_any_text_of_a_row() -> None:
    """A row with a title and a text is caught by either, exactly and nearly; and by both together."""
    row = Row(text=f"A title\n{POEM}", texts=("A title", POEM))
    assert listed(entry(Kind.CONTENT, text_digest(POEM))).decide(row).said is Said.DENIED
    assert listed(entry(Kind.CONTENT, text_digest("a title " + POEM))).decide(row).said is Said.DENIED
    short = Row(text=POEM + " other words" * 300, texts=(POEM,))
    assert listed(entry(Kind.SIMILAR, POEM.replace("line5 ", "verse "))).decide(short).said is Said.DENIED


def test_what_is_too_long_to_be_a_name_was_not_read() -> None:
    """It is said so at once, whatever it holds."""
    consents = listed(entry(Kind.DOMAIN, "example.org"))
    assert consents.decide(Row(domain="a." * 2_000 + "example.org")).unread == (Kind.DOMAIN,)


SCOPES = [
    (Scope(Mode.OPT_OUT), Use.TRAINING, "", Said.DENIED),
    (Scope(Mode.OPT_OUT, frozenset({Use.SEARCH})), Use.TRAINING, "", Said.NONE),
    (Scope(Mode.OPT_OUT, sets=frozenset({"acme/a"})), Use.TRAINING, "acme/A", Said.DENIED),
    (Scope(Mode.OPT_OUT, sets=frozenset({"acme/a"})), Use.TRAINING, "acme/b", Said.NONE),
    (Scope(Mode.OPT_OUT, sets=frozenset({"acme/a"})), Use.TRAINING, "", Said.PARTIAL),
    (Scope(Mode.OPT_IN), Use.TRAINING, "", Said.ALLOWED),
    (Scope(Mode.OPT_IN, frozenset({Use.SEARCH})), Use.TRAINING, "", Said.NONE),
    (Scope(Mode.PARTIAL, frozenset({Use.SEARCH})), Use.TRAINING, "", Said.DENIED),
    (Scope(Mode.PARTIAL, frozenset({Use.SEARCH})), Use.SEARCH, "", Said.ALLOWED),
    (Scope(Mode.PARTIAL, sets=frozenset({"acme/a"})), Use.TRAINING, "acme/b", Said.DENIED),
    (Scope(Mode.PARTIAL, sets=frozenset({"acme/a"})), Use.TRAINING, "acme/a", Said.ALLOWED),
    (Scope(Mode.PARTIAL, sets=frozenset({"acme/a"})), Use.TRAINING, "", Said.PARTIAL),
]


@pytest.mark.parametrize(("scope", "use", "into", "said"), SCOPES)
def test_what_a_scope_means_for_a_use(scope: Scope, use: Use, into: str, said: Said) -> None:
    """Uses and data sets narrow a consent; what cannot be told without the data set's name is partial, not allowed."""
    decision = listed(entry(Kind.DOMAIN, "example.org", scope)).decide(Row(domain="example.org"), use, into)
    assert decision.said is said
    assert decision.may_use() == (said in (Said.ALLOWED, Said.NONE))


def test_a_build_in_opt_in_mode_takes_only_what_was_allowed() -> None:
    """A row without a record goes into an opt-out build and not into an opt-in one; a refused one into neither."""
    consents = listed(entry(Kind.ACCOUNT, "ines", IN), entry(Kind.ACCOUNT, "otto"))
    taken = [consents.decide(Row(account=name)) for name in ("ines", "otto", "nobody")]
    assert [decision.may_use() for decision in taken] == [True, False, True]
    assert [decision.may_use(opt_in=True) for decision in taken] == [True, False, False]


def test_the_most_restrictive_consent_counts() -> None:
    """One refusal outweighs any number of permissions, whoever gave them and whatever they were matched by."""
    row = Row(account="ines", domain="example.org", text=POEM)
    allowed = [entry(Kind.ACCOUNT, "ines", IN), entry(Kind.DOMAIN, "example.org", IN)]
    assert listed(*allowed).decide(row).said is Said.ALLOWED
    denied = listed(*allowed, entry(Kind.CONTENT, text_digest(POEM)))
    assert denied.decide(row).said is Said.DENIED
    assert len(denied.match(row)) == 3


def test_what_could_not_be_read_is_said() -> None:
    """A row whose address is none has no record by address, and the decision says that it was not looked up."""
    consents = listed(entry(Kind.URL, "https://example.org/a"), entry(Kind.ACCOUNT, "alice"))
    assert consents.decide(Row(url="ht!tp:// no address")).unread == (Kind.URL,)
    assert consents.decide(Row(url="https://example.com/")).unread == ()


@given(st.data())
def test_a_changed_list_is_refused(data: st.DataObject) -> None:
    """Whatever byte is changed, signature or digest fails; nothing is read from such a file."""
    file = write_list([entry(Kind.ACCOUNT, "alice"), entry(Kind.DOMAIN, "example.org", IN)], HEADING, KEY, SIGNER)
    place = data.draw(st.integers(0, len(file) - 1))
    changed = bytearray(file)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VerificationError):
        ConsentList.load(bytes(changed), KEY, TRUST)


def test_a_list_is_refused_without_trust_or_with_another_key() -> None:
    """A stranger's signature does not count; and the wrong key would find nothing, so it is refused."""
    file = write_list([entry(Kind.ACCOUNT, "alice")], HEADING, KEY, SIGNER)
    with pytest.raises(VerificationError, match="do not trust"):
        ConsentList.load(file, KEY, Trust())
    with pytest.raises(InputError, match="another key"):
        ConsentList.load(file, RegistryKey((b"o" * 32,)), TRUST)
    assert ConsentList.load(file, KEY, TRUST).heading == HEADING


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(file: bytes) -> None:
    """With the error for evidence that does not hold, and no other."""
    with pytest.raises(VerificationError):
        ConsentList.load(file, KEY, TRUST)


def test_a_list_holds_no_identifier() -> None:
    """Neither names, nor plain hashes of them, stand in the file."""
    file = write_list([entry(Kind.ACCOUNT, "alice"), entry(Kind.SIMILAR, POEM)], HEADING, KEY, SIGNER)
    assert b"alice" not in file
    assert b"poem" not in file
    assert all(json.loads(line)["digest"] != text_digest("alice") for line in file.splitlines()[1:])


def test_an_empty_list_can_be_written() -> None:
    """It has no entries and denies nothing."""
    assert listed().decide(Row(account="alice", text=POEM)).said is Said.NONE
