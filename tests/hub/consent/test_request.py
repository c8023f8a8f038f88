"""Requests of the registry: filed, confirmed, listed, withdrawn; and what a thief of the database learns."""

import hashlib
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound, VerificationError
from hallmarked.corpus.consent.blind import blind, unblind
from hallmarked.corpus.consent.key import create_key
from hallmarked.corpus.consent.list import ConsentList
from hallmarked.corpus.consent.lookup import bucket_of, find_line, question
from hallmarked.corpus.consent.match import Row
from hallmarked.corpus.consent.receipt import Request, evidence_of, verify_receipt
from hallmarked.corpus.consent.record import Mode, Said, Scope, Use, selector_digest
from hallmarked.corpus.consent.selector import Kind, Selector, make_selector, text_digest
from hallmarked.hub.access import ANYBODY
from hallmarked.hub.consent.key import folder_of, open_keys
from hallmarked.hub.consent.listing import Index, answer, export_list, renew
from hallmarked.hub.consent.proof import (
    MOST_MAILS,
    WELL_KNOWN,
    challenge,
    confirm_by_hand,
    prove_by_account,
    prove_by_content,
    prove_by_mail,
    prove_by_site,
    send_code,
)
from hallmarked.hub.consent.request import (
    Filed,
    Status,
    Wish,
    can_open,
    evidence_for,
    file_request,
    find_request,
    lapse,
    log_event,
    withdraw_request,
)
from hallmarked.hub.consent.subject import list_due
from hallmarked.hub.error import NotSignedIn, TooMany
from hallmarked.hub.repository.repository import create_repository
from hallmarked.hub.schema.consent import consent_request, consent_selector
from hallmarked.hub.schema.every import metadata
from hallmarked.hub.setting import Consent, Outbound, Settings, Storage
from hallmarked.hub.upkeep.backup import back_up, restore
from hallmarked.ledger.trust import Trust, load_trust
from hallmarked.ledger.verify import verify_bundle
from tests.hubs import RunningHub, open_test_hub

OUT = Scope(Mode.OPT_OUT)
POEM = " ".join(f"line{number} of a poem that nobody else wrote" for number in range(30))


def selector(kind: Kind, value: str) -> Selector:
    return make_selector(kind, value)


def filed(running: RunningHub, kind: Kind, value: str, mode: Mode = Mode.OPT_OUT, **options: bool) -> Filed:
    return file_request(running.hub, Wish(Scope(mode), [selector(kind, value)], **options))


def trust_of(running: RunningHub) -> Trust:
    return load_trust(running.hub.journal.trust())


def consents(running: RunningHub) -> ConsentList:
    keys = open_keys(running.hub.settings)
    return ConsentList.load(export_list(running.hub), keys.digest, trust_of(running))


def status(running: RunningHub, code: str) -> Status:
    return find_request(running.hub, code).status


def test_a_receipt_verifies_offline_and_the_log_names_nobody(hub: RunningHub) -> None:
    """It opens the commitment in the log; the evidence alone holds neither the identifier nor a plain hash of it."""
    made = filed(hub, Kind.ACCOUNT, "Ada@Example.org")
    receipt = verify_receipt(made.receipt, trust_of(hub))
    assert receipt.verified.trusted
    assert receipt.request == Request(
        "opt-out", ("evaluation", "search", "training"), (), (("account", "ada@example.org"),)
    )
    assert (receipt.due - receipt.filed).days in (29, 30)
    assert receipt.policy == "1"
    evidence = evidence_of(made.receipt)
    assert verify_bundle(evidence, trust_of(hub)).entries[0].index == receipt.index
    plain = hashlib.sha256(b"ada@example.org").hexdigest().encode()
    for public in (
        evidence,
        hub.hub.journal.envelope(receipt.index),
        hub.hub.journal.tile(None, 0, hub.hub.journal.size),
    ):
        assert b"ada@" not in public
        assert plain not in public


@pytest.mark.parametrize("part", ["request", "salt", "evidence"])
def test_a_changed_receipt_is_refused(hub: RunningHub, part: str) -> None:
    """Another identifier, scope, salt or entry than was filed does not verify."""
    row = json.loads(filed(hub, Kind.ACCOUNT, "ada").receipt)
    other = json.loads(filed(hub, Kind.ACCOUNT, "bea").receipt)
    row[part] = other[part]
    with pytest.raises(VerificationError):
        verify_receipt(json.dumps(row).encode())
    row = json.loads(filed(hub, Kind.ACCOUNT, "ada").receipt)
    row["request"]["action"] = "opt-in"
    with pytest.raises(VerificationError, match="something else than what was filed"):
        verify_receipt(json.dumps(row).encode())


def test_a_request_counts_when_somebody_proved_who_asks(hub: RunningHub) -> None:
    """Before that it is not in the list; the log then says that it was confirmed."""
    made = filed(hub, Kind.ACCOUNT, "ada")
    assert consents(hub).entries == ()
    assert prove_by_account(hub.hub, made.code, hub.actor("bea")) == 0
    assert status(hub, made.code) is Status.PENDING
    assert prove_by_account(hub.hub, made.code, hub.actor("ada")) == 1
    assert consents(hub).decide(Row(account="Ada")).said is Said.DENIED
    stored = find_request(hub.hub, made.code)
    assert (stored.status, stored.items[0].proof) == (Status.ACTIVE, "account")
    events = verify_bundle(evidence_for(hub.hub, stored.commitment)).entries
    assert [entry.statement["predicate"]["event"] for entry in events] == ["filed", "confirmed"]
    with pytest.raises(NotSignedIn):
        prove_by_account(hub.hub, made.code, ANYBODY)


def test_a_bare_name_allows_nothing(hub: RunningHub) -> None:
    """Whoever takes a name here may be somebody else on the platform that data came from."""
    made = file_request(hub.hub, Wish(Scope(Mode.OPT_IN), [selector(Kind.ACCOUNT, "ada")]))
    assert prove_by_account(hub.hub, made.code, hub.actor("ada")) == 0
    made = file_request(hub.hub, Wish(Scope(Mode.OPT_IN), [selector(Kind.ACCOUNT, "hub.example.org/ada")]))
    settings = hub.hub.settings
    named = replace(hub.hub, settings=replace(settings, server=replace(settings.server, url="https://hub.example.org")))
    assert prove_by_account(named, made.code, hub.actor("ada")) == 1


def test_owning_an_account_proves_its_repositories(hub: RunningHub) -> None:
    """Those of somebody else stay unproven."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        create_repository(db, ada, "dataset", "letters")
    wish = Wish(OUT, [selector(Kind.REPOSITORY, "ada/letters"), selector(Kind.REPOSITORY, "bea/letters")])
    made = file_request(hub.hub, wish)
    assert prove_by_account(hub.hub, made.code, hub.actor("ada")) == 1
    assert consents(hub).decide(Row(repository="ada/letters")).said is Said.DENIED
    assert consents(hub).decide(Row(repository="bea/letters")).said is Said.NONE


def test_showing_content_proves_an_opt_out_and_no_opt_in(hub: RunningHub) -> None:
    """Whoever has a copy may refuse for it; to allow its use takes more than a copy."""
    for mode, proven in ((Mode.OPT_OUT, 2), (Mode.OPT_IN, 0), (Mode.PARTIAL, 0)):
        wish = Wish(Scope(mode), [selector(Kind.CONTENT, text_digest(POEM)), selector(Kind.SIMILAR, POEM)])
        made = file_request(hub.hub, wish)
        assert prove_by_content(hub.hub, made.code, "another text " * 30) == 0
        assert prove_by_content(hub.hub, made.code, POEM) == proven
    decision = consents(hub).decide(Row(account="mallory", text=POEM.replace("line4 ", "verse ")))
    assert (decision.said, decision.kind) == (Said.DENIED, Kind.SIMILAR)
    assert "poem" not in made.receipt.decode()


def test_withdrawing_ends_it_and_forgets_what_opens_the_log(hub: RunningHub) -> None:
    """The list is without it, the registry cannot open the entry any more, and the receipt still holds."""
    made = filed(hub, Kind.ACCOUNT, "ada")
    prove_by_account(hub.hub, made.code, hub.actor("ada"))
    receipt, stored = verify_receipt(made.receipt), find_request(hub.hub, made.code)
    keys = open_keys(hub.hub.settings)
    with hub.hub.database.read() as db:
        assert can_open(keys, db, stored.id, receipt.request)
    withdraw_request(hub.hub, made.code)
    assert consents(hub).entries == ()
    assert status(hub, made.code) is Status.WITHDRAWN
    with hub.hub.database.read() as db:
        assert not can_open(keys, db, stored.id, receipt.request)
        assert not db.execute(select(consent_selector)).all()
    assert verify_receipt(made.receipt, trust_of(hub)).verified.trusted
    with pytest.raises(NotFound, match="over already"):
        withdraw_request(hub.hub, made.code)
    with pytest.raises(NotFound):
        find_request(hub.hub, "no such code")


def test_what_nobody_proved_lapses_and_what_is_confirmed_needs_no_work(hub: RunningHub) -> None:
    """After the time that the receipt names, an unproven request is ended; a confirmed one holds and is not listed."""
    kept, forgotten = filed(hub, Kind.ACCOUNT, "ada"), filed(hub, Kind.ACCOUNT, "bea")
    prove_by_account(hub.hub, kept.code, hub.actor("ada"))
    stored = find_request(hub.hub, forgotten.code)
    assert [one.id for one, _ in list_due(hub.hub)] == [stored.id]
    assert lapse(hub.hub, stored.due) == 0
    assert lapse(hub.hub, stored.due + 1_000) == 1
    assert (status(hub, kept.code), status(hub, forgotten.code)) == (Status.ACTIVE, Status.REFUSED)
    assert list_due(hub.hub) == []
    assert consents(hub).decide(Row(account="ada")).said is Said.DENIED


def test_an_interrupted_filing_is_logged_when_it_is_next_opened(hub: RunningHub) -> None:
    """A stop between database and ledger leaves no request without an entry, nor with two."""
    made = filed(hub, Kind.ACCOUNT, "ada")
    size = hub.hub.journal.size
    with hub.hub.database.write() as db:
        db.execute(consent_request.update().values(entry=None))
    assert find_request(hub.hub, made.code).entry == verify_receipt(made.receipt).index
    assert hub.hub.journal.size == size
    with pytest.raises(NotFound):
        log_event(hub.hub, "none", "filed")


def test_somebody_who_speaks_for_another_is_confirmed_by_people(hub: RunningHub) -> None:
    """A mandate is recorded as claimed; own proofs do not count for it."""
    made = filed(hub, Kind.ACCOUNT, "ada", representative=True)
    with pytest.raises(Forbidden):
        prove_by_account(hub.hub, made.code, hub.actor("ada"))
    stored = find_request(hub.hub, made.code)
    assert stored.representative
    assert confirm_by_hand(hub.hub, stored.id, "mandate of 3 May, seen on paper") == 1
    assert consents(hub).entries[0].proof == "operator"


def test_a_thief_of_the_database_confirms_nobody(hub: RunningHub) -> None:
    """None of 10,000 names is confirmed by what stands in any table; with the key, the three there are."""
    names = [f"person{number}@example.org" for number in range(10_000)]
    for name in names[:3]:
        filed(hub, Kind.ACCOUNT, name)
    dump = _dump(hub)
    guessed = create_key()
    for name in names:
        selected = selector(Kind.ACCOUNT, name)
        plain = hashlib.sha256(selected.value.encode()).hexdigest()
        assert selected.value not in dump
        assert plain not in dump
        assert selector_digest(guessed, selected).hex() not in dump
    key = open_keys(hub.hub.settings).digest
    assert sum(selector_digest(key, selector(Kind.ACCOUNT, name)).hex() in dump for name in names[:100]) == 3
    folder = folder_of(hub.hub.settings)
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


def _dump(running: RunningHub) -> str:
    with running.hub.database.read() as db:
        return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in db.execute(select(table)))


def ask(running: RunningHub, names: list[str], index: Index | None = None) -> list[Mode | None]:
    """Look names up as an asker does."""
    published = (index or Index()).get(running.hub)
    asked = [blind(question(selector(Kind.ACCOUNT, name))) for name in names]
    given = answer(running.hub, ["127.0.0.1"], published.epoch, [item.element for item in asked])
    elements = unblind(asked, given, published.public)
    buckets = published.buckets
    return [find_line(buckets.bucket(bucket_of(element, buckets.bits)), element) for element in elements]


def test_private_look_up_finds_who_is_there_and_nobody_else(hub: RunningHub) -> None:
    """With what they said; those who withdrew, or were never confirmed, are not there."""
    index = Index()
    for name, mode in (("ada", Mode.OPT_OUT), ("ida", Mode.OPT_IN), ("bea", Mode.OPT_OUT)):
        made = filed(hub, Kind.ACCOUNT, name, mode)
        if name != "bea":
            confirm_by_hand(hub.hub, find_request(hub.hub, made.code).id, "seen in person")
    assert ask(hub, ["ada", "ida", "bea", "eva"], index) == [Mode.OPT_OUT, Mode.OPT_IN, None, None]
    withdraw_request(hub.hub, made.code)
    before = index.get(hub.hub).buckets.bucket(0)
    gone = filed(hub, Kind.ACCOUNT, "eva")
    prove_by_account(hub.hub, gone.code, hub.actor("eva"))
    assert ask(hub, ["eva"], index) == [Mode.OPT_OUT]
    assert len(index.get(hub.hub).buckets.bucket(0)) == len(before)


def test_guesses_are_counted_without_keeping_addresses(tmp_path: Path) -> None:
    """So many a day for each network; what is kept of it names no network."""
    with open_test_hub(tmp_path, _settings(tmp_path, Consent(lookups=3))) as running:
        assert ask(running, ["ada", "bea"]) == [None, None]
        with pytest.raises(TooMany):
            ask(running, ["ada", "bea"])
        assert ask(running, ["ada"]) == [None]
        assert "127.0.0.1" not in _dump(running)
        with pytest.raises(InputError, match="renewed"):
            answer(running.hub, ["127.0.0.2"], "0" * 16, [b""])


def test_renewing_the_keys_keeps_everything_that_counts(hub: RunningHub) -> None:
    """The list and look-up work under the new keys; the old key matches nothing in the new list."""
    for kind, value in ((Kind.ACCOUNT, "ada"), (Kind.SIMILAR, POEM)):
        made = filed(hub, kind, value)
        confirm_by_hand(hub.hub, find_request(hub.hub, made.code).id, "known")
    old = open_keys(hub.hub.settings)
    new = renew(hub.hub)
    assert new.epoch != old.epoch
    assert new.digest.id != old.digest.id
    renew(hub.hub)
    assert consents(hub).decide(Row(account="ada")).said is Said.DENIED
    assert consents(hub).decide(Row(text=POEM)).said is Said.DENIED
    assert ask(hub, ["ada", "bea"]) == [Mode.OPT_OUT, None]
    with pytest.raises(InputError, match="another key"):
        ConsentList.load(export_list(hub.hub), old.digest, trust_of(hub))
    stored = find_request(hub.hub, made.code)
    with hub.hub.database.read() as db:
        assert not can_open(old, db, stored.id, verify_receipt(made.receipt).request)


def test_a_missing_key_is_named(hub: RunningHub) -> None:
    """When the key file was replaced by another one, nothing is exported that would match nobody."""
    made = filed(hub, Kind.ACCOUNT, "ada")
    confirm_by_hand(hub.hub, find_request(hub.hub, made.code).id, "known")
    for path in folder_of(hub.hub.settings).iterdir():
        path.unlink()
    with pytest.raises(BackendError, match="restore its key file"):
        export_list(hub.hub)
    with pytest.raises(BackendError, match="restore its key file"):
        Index().get(hub.hub)


def test_a_request_names_something(hub: RunningHub) -> None:
    """None, or more than can be checked, are refused before anything is kept."""
    with pytest.raises(InputError):
        file_request(hub.hub, Wish(OUT, []))
    with pytest.raises(InputError):
        file_request(hub.hub, Wish(OUT, [selector(Kind.ACCOUNT, f"a{number}") for number in range(101)]))
    with pytest.raises(InputError, match="too short"):
        file_request(hub.hub, Wish(OUT, [selector(Kind.SIMILAR, "four words and done")]))
    assert "person" not in _dump(hub)


def test_partial_consent_reaches_the_list(hub: RunningHub) -> None:
    """Uses and data sets named in the request decide in the build."""
    scope = Scope(Mode.PARTIAL, frozenset({Use.SEARCH}), frozenset({"acme/index"}))
    made = file_request(hub.hub, Wish(scope, [selector(Kind.DOMAIN, "example.org")]))
    confirm_by_hand(hub.hub, find_request(hub.hub, made.code).id, "known")
    row = Row(domain="example.org")
    assert consents(hub).decide(row, Use.SEARCH, "acme/index").said is Said.ALLOWED
    assert consents(hub).decide(row, Use.TRAINING, "acme/index").said is Said.DENIED


def _settings(folder: Path, consent: Consent, outbound: Outbound | None = None) -> Settings:
    return Settings(storage=Storage(data=str(folder / "data")), consent=consent, outbound=outbound or Outbound())


@contextmanager
def _serving(lines: list[str]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == WELL_KNOWN
            self.send_response(200 if found else 404)
            self.end_headers()
            if found:
                self.wfile.write("\n".join(lines).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.enable_socket
def test_a_site_is_proven_by_a_file_on_it(tmp_path: Path) -> None:
    """The line of this very request has to stand there; another site's file, or an internal host, proves nothing."""
    lines: list[str] = ["something else"]
    with _serving(lines) as host:
        settings = _settings(tmp_path, Consent(), Outbound(hosts=(host,)))
        with open_test_hub(tmp_path, settings) as running:
            made = filed(running, Kind.URL, f"http://{host}/works")
            with pytest.raises(BackendError, match="holds the line"):
                prove_by_site(running.hub, made.code, f"{host}/works")
            with pytest.raises(InputError, match="not about that place"):
                prove_by_site(running.hub, made.code, "https://example.org/")
            item = find_request(running.hub, made.code).items[0]
            lines.append(challenge(open_keys(running.hub.settings), item))
            assert prove_by_site(running.hub, made.code, f"{host}/works") == 1
            assert consents(running).decide(Row(url=f"http://{host}/works/1")).said is Said.DENIED
            other = filed(running, Kind.URL, "http://127.0.0.1:9/works")
            with pytest.raises((Forbidden, InputError)):
                prove_by_site(running.hub, other.code, "http://127.0.0.1:9/works")


def test_a_name_below_a_domain_does_not_speak_for_it(hub: RunningHub) -> None:
    """Whoever has a subdomain cannot opt the whole domain out."""
    made = filed(hub, Kind.DOMAIN, "example.org")
    with pytest.raises(InputError, match="not about that place"):
        prove_by_site(hub.hub, made.code, "mallory.example.org", read=lambda _hub, _host: [])


def test_another_port_does_not_speak_for_a_domain(hub: RunningHub) -> None:
    """Whoever may open a port of a shared machine cannot opt the whole domain in."""
    made = filed(hub, Kind.DOMAIN, "example.org", Mode.OPT_IN)
    line = challenge(open_keys(hub.hub.settings), find_request(hub.hub, made.code).items[0])
    with pytest.raises(InputError, match="not about that place"):
        prove_by_site(hub.hub, made.code, "https://example.org:8443/", read=lambda _hub, _host: [line])
    assert status(hub, made.code) is Status.PENDING
    assert prove_by_site(hub.hub, made.code, "https://example.org:443/", read=lambda _hub, _host: [line]) == 1


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of a mail server (RFC 5321) as one mail needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(mail.decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@contextmanager
def _mailing() -> Iterator[tuple[str, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.mails = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", server.mails  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.enable_socket
def test_an_address_is_proven_by_a_mailed_code(tmp_path: Path) -> None:
    """The number from the mail proves it; wrong ones run out, and none can be asked for at once again."""
    with _mailing() as (address, mails):
        consent = Consent(smtp=address, smtp_security="none", smtp_from="registry@example.org")
        with open_test_hub(tmp_path, _settings(tmp_path, consent)) as running:
            made = filed(running, Kind.ACCOUNT, "ada@example.org")
            send_code(running.hub, made.code, "Ada@example.org")
            assert "ada@example.org" in mails[0]
            number = mails[0].partition("Your code is ")[2][:8]
            assert number not in _dump(running)
            with pytest.raises(TooMany):
                send_code(running.hub, made.code, "ada@example.org")
            with pytest.raises(InputError, match="not about that address"):
                send_code(running.hub, made.code, "bea@example.org")
            with pytest.raises(InputError, match="not the code"):
                prove_by_mail(running.hub, made.code, "ada@example.org", "0")
            assert prove_by_mail(running.hub, made.code, "ada@example.org", f" {number[:4]} {number[4:]}") == 1
            assert consents(running).decide(Row(account="ada@example.org")).said is Said.DENIED


@pytest.mark.enable_socket
def test_five_wrong_codes_are_the_last(tmp_path: Path) -> None:
    """After them the right one does not count either."""
    with _mailing() as (address, mails):
        consent = Consent(smtp=address, smtp_security="none", smtp_from="registry@example.org")
        with open_test_hub(tmp_path, _settings(tmp_path, consent)) as running:
            made = filed(running, Kind.ACCOUNT, "ada@example.org")
            send_code(running.hub, made.code, "ada@example.org")
            for _ in range(5):
                with pytest.raises(InputError):
                    prove_by_mail(running.hub, made.code, "ada@example.org", "x")
            with pytest.raises(NotFound):
                prove_by_mail(running.hub, made.code, "ada@example.org", mails[0].partition("code is ")[2][:8])


@pytest.mark.enable_socket
def test_an_address_gets_few_codes_a_day_however_many_requests_name_it(tmp_path: Path) -> None:
    """Requests need no account: without a count by address, anybody could fill a mailbox, and guess all day long."""
    with _mailing() as (address, mails):
        consent = Consent(smtp=address, smtp_security="none", smtp_from="registry@example.org")
        with open_test_hub(tmp_path, _settings(tmp_path, consent)) as running:
            for _ in range(MOST_MAILS):
                send_code(running.hub, filed(running, Kind.ACCOUNT, "ada@example.org").code, "ada@example.org")
            with pytest.raises(TooMany, match="tomorrow"):
                send_code(running.hub, filed(running, Kind.ACCOUNT, "ADA@example.org").code, "ada@EXAMPLE.org")
            send_code(running.hub, filed(running, Kind.ACCOUNT, "bea@example.org").code, "bea@example.org")
            assert len(mails) == MOST_MAILS + 1
            assert "ada@" not in _dump(running)


def test_without_a_mail_server_codes_are_not_offered(hub: RunningHub) -> None:
    """The refusal says who can help instead; half a setting is named."""
    made = filed(hub, Kind.ACCOUNT, "ada@example.org")
    with pytest.raises(InputError, match="by hand"):
        send_code(hub.hub, made.code, "ada@example.org")
    half = replace(hub.hub, settings=replace(hub.hub.settings, consent=Consent(smtp="mail.example.org")))
    with pytest.raises(InputError, match="smtp_from"):
        send_code(half, made.code, "ada@example.org")


def test_a_backup_keeps_the_registry(hub: RunningHub, tmp_path: Path) -> None:
    """A hub made from a copy has the keys too, so that the list still matches."""
    made = filed(hub, Kind.ACCOUNT, "ada")
    confirm_by_hand(hub.hub, find_request(hub.hub, made.code).id, "known")
    back_up(hub.hub, tmp_path / "copy")
    settings = _settings(tmp_path / "other", Consent())
    restore(tmp_path / "copy", settings)
    with open_test_hub(tmp_path / "other", settings) as other:
        assert consents(other).decide(Row(account="ada")).said is Said.DENIED
        assert status(other, made.code) is Status.ACTIVE


def test_what_was_forgotten_is_not_left_on_disk(tmp_path: Path) -> None:
    """After a request was withdrawn and the hub closed, its nonce stands in no file of the database."""
    with open_test_hub(tmp_path) as running:
        made = filed(running, Kind.ACCOUNT, "ada")
        with running.hub.database.read() as db:
            nonce = db.execute(select(consent_request.c.nonce)).scalar_one()
        withdraw_request(running.hub, made.code)
    files = [path for path in (tmp_path / "data").glob("hub.sqlite3*") if path.is_file()]
    assert files
    assert not [path.name for path in files if nonce.encode() in path.read_bytes()]


@pytest.mark.slow
def test_the_registry_works_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """Filing, confirming, the list, look-up with its counts, renewal and withdrawal."""
    settings = Settings(storage=Storage(data=str(tmp_path / "data"), database=postgres_url), consent=Consent(lookups=4))
    with open_test_hub(tmp_path, settings) as running:
        made = filed(running, Kind.ACCOUNT, "ada")
        assert prove_by_account(running.hub, made.code, running.actor("ada")) == 1
        assert consents(running).decide(Row(account="ada")).said is Said.DENIED
        assert ask(running, ["ada", "bea"]) == [Mode.OPT_OUT, None]
        renew(running.hub)
        assert ask(running, ["ada", "bea"]) == [Mode.OPT_OUT, None]
        with pytest.raises(TooMany):
            ask(running, ["eva"])
        withdraw_request(running.hub, made.code)
        assert consents(running).entries == ()
