"""Proofs of who asks. What is kept is how it was proven and a keyed digest of what was shown, never that itself."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select, update

from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.record import Mode, selector_digest
from hallmarked.corpus.consent.selector import (
    Kind,
    Selector,
    domain_and_above,
    make_selector,
    normal_host,
    normal_text,
    text_digest,
    url_and_above,
)
from hallmarked.corpus.consent.sketch import sign_text
from hallmarked.hub.access import Actor, Role, require_change
from hallmarked.hub.clock import now
from hallmarked.hub.consent.key import Keys, open_keys
from hallmarked.hub.consent.mail import Server, send_mail
from hallmarked.hub.consent.meter import Allowance, take
from hallmarked.hub.consent.request import Item, Status, Stored, find_request, load_request, log_event
from hallmarked.hub.error import TooMany
from hallmarked.hub.hub import Hub
from hallmarked.hub.outbound.address import parse
from hallmarked.hub.outbound.client import Rules, client, rules_of, send
from hallmarked.hub.outbound.name import read_texts
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.schema.consent import consent_code, consent_request, consent_selector
from hallmarked.hub.schema.identity import login
from hallmarked.hub.schema.repository import repository

WELL_KNOWN = "/.well-known/hallmarked-consent.txt"
"""Where a site shows that its owner asks."""
RECORD = "_hallmarked-consent"
"""Or the name below it whose TXT record does."""
CODE_MINUTES, CODE_TRIES = 30, 5
MOST_MAILS = 8
"""Codes that one address gets a day, for all requests together: each is mail that nobody has to have asked for."""
MAILS = "this address got {allowed} codes today, which is as many as are sent; ask again tomorrow"
MINUTE = 60_000
"""Milliseconds."""
MOST_LINES = 1_000
Read = Callable[[Hub, str], Sequence[str]]
"""Returns the lines of a site's file."""


class Method(StrEnum):
    """How it was established who asks."""

    ACCOUNT = "account"
    """Signed in to this hub with that account."""
    OIDC = "oidc"
    """Signed in to this hub through another service."""
    SITE = "site"
    """A file on the web site, or a record of its name."""
    CONTENT = "content"
    """The content itself was shown."""
    MAIL = "mail"
    """A code that was mailed came back."""
    OPERATOR = "operator"
    """Whoever runs the hub confirmed it by hand."""


def challenge(keys: Keys, item: Item) -> str:
    """Return the line that a site has to show for a selector; nobody else can make it up."""
    return f"hallmarked-consent={keys.digest.digest(b'challenge', item.id.encode(), 16).hex()}"


def prove_by_account(hub: Hub, code: str, actor: Actor) -> int:
    """Prove the accounts and repositories of a request that belong to who is signed in.

    A bare name may mean an account of another platform, and anybody may take a free name here. So it proves an opt-out,
    which at worst leaves too much out, and nothing that allows: that takes ``host/name`` with the name of this hub.

    Returns:
        How many selectors were proven by it.

    Raises:
        NotFound: When the code opens no request.
        Forbidden: When nobody is signed in, or by a token that only reads.
    """
    require_change(actor)
    stored, keys = find_request(hub, code), open_keys(hub.settings)
    with hub.database.read() as db:
        mine = _belongings(db, actor)
        outside = db.execute(select(login).where(login.c.account_id == actor.account_id)).first() is not None
        password = db.execute(select(account.c.password).where(account.c.id == actor.account_id)).scalar_one()
    host = hub.settings.server.url.partition("://")[2].partition("/")[0].partition(":")[0]
    bare = mine if stored.action == Mode.OPT_OUT else []
    names = [*bare, *((kind, f"{host}/{name}") for kind, name in mine if "." in host)]
    digests = {_digest(keys.digest, kind, name) for kind, name in names}
    items = [item for item in stored.items if item.digest in digests]
    return _prove(hub, stored, items, Method.OIDC if outside and not password else Method.ACCOUNT, actor.name)


def prove_by_content(hub: Hub, code: str, text: str) -> int:
    """Prove an opt-out of content by showing it. Having a copy shows no right to allow its use: that takes more.

    Returns:
        How many selectors were proven by it.

    Raises:
        NotFound: When the code opens no request.
    """
    stored, keys = find_request(hub, code), open_keys(hub.settings)
    if stored.action != Mode.OPT_OUT:
        return 0
    digests = {_digest(keys.digest, Kind.CONTENT, text_digest(text))}
    if sign_text(normal_text(text)) is not None:
        digests.add(selector_digest(keys.digest, make_selector(Kind.SIMILAR, text)).hex())
    return _prove(hub, stored, [item for item in stored.items if item.digest in digests], Method.CONTENT, text)


def prove_by_site(hub: Hub, code: str, place: str, read: Read | None = None) -> int:
    """Prove a domain, or addresses on it, by a file or a TXT record that whoever owns it makes.

    Args:
        hub: Where.
        code: Of the request.
        place: The domain or address once more: the registry does not keep it.
        read: What fetches the lines; by default the file, and then the record.

    Returns:
        How many selectors were proven by it.

    Raises:
        NotFound: When the code opens no request.
        InputError: When the request is not about that place.
        Forbidden: When requests may not go there.
        BackendError: When the site does not answer, or does not show the line.
    """
    stored, keys = find_request(hub, code), open_keys(hub.settings)
    host, digests = _site(keys.digest, place)
    items = [item for item in stored.items if item.digest in digests]
    if not items:
        raise InputError("this request is not about that place; write it as you did when you made the request")
    problems: list[BackendError | Forbidden] = []
    for each in (read,) if read else (read_site, read_name):
        try:
            lines = {line.strip() for line in each(hub, host)}
        except (BackendError, Forbidden) as error:
            problems.append(error)
            continue
        if proven := [item for item in items if challenge(keys, item) in lines]:
            return _prove(hub, stored, proven, Method.SITE, host)
    if problems:
        raise problems[0]
    raise BackendError("neither the file there nor its name's TXT record holds the line that this page asks for")


def read_name(hub: Hub, host: str) -> Sequence[str]:
    """Read the TXT records of a host's name, below ``_hallmarked-consent``.

    Raises:
        BackendError: When no name server answers.
    """
    name = host.partition(":")[0]
    if host in rules_of(hub.settings.outbound).internal or parse(name) is not None:
        return ()  # a machine in the operator's own network has no owner who could say so in the DNS
    return read_texts(f"{RECORD}.{name}")[:MOST_LINES]


def read_site(hub: Hub, host: str) -> Sequence[str]:
    """Fetch the file of a site.

    Args:
        hub: Whose rules for outgoing requests count.
        host: ``host`` or ``host:port``.

    Raises:
        Forbidden: When requests may not go there.
        BackendError: When the site does not answer, or has no such file.
    """
    rules = rules_of(hub.settings.outbound)
    with client(rules) as opened:
        answer = send(opened, rules, "GET", f"{_scheme(rules, host)}://{host}{WELL_KNOWN}")
    if answer.status != 200:
        raise BackendError(f"the site answers {answer.status} for {WELL_KNOWN}")
    return answer.body.decode("utf-8", "replace").splitlines()[:MOST_LINES]


def send_code(hub: Hub, code: str, address: str) -> None:
    """Mail a code to an address that a request is about.

    Raises:
        NotFound: When the code opens no request.
        InputError: When codes by mail are not offered, or the request is not about that address.
        TooMany: When one was sent a moment ago, or that address got as many as it may today.
        BackendError: When the mail server does not take it.
    """
    server = Server.of(hub.settings.consent)
    if server is None:
        raise InputError("this hub sends no mail; ask whoever runs it to confirm the address by hand")
    stored, keys = find_request(hub, code), open_keys(hub.settings)
    item, selector = _mailbox(keys, stored, address)
    number = f"{secrets.randbelow(10**8):08}"
    time = now()
    with hub.database.write() as db:
        old = db.execute(select(consent_code).where(consent_code.c.selector_id == item.id)).first()
        if old is not None and time - old.created < 2 * MINUTE:
            raise TooMany("a code was sent a moment ago; wait two minutes before you ask for another one", 120)
        take(db, keys.caller, f"mail {selector.value}", Allowance(1, MOST_MAILS, MAILS))
        db.execute(delete(consent_code).where(consent_code.c.selector_id == item.id))
        row = {"selector_id": item.id, "digest": _code_digest(keys, item, number), "tries": 0}
        db.execute(insert(consent_code).values(**row, created=time, expires=time + CODE_MINUTES * MINUTE))
    send_mail(server, selector.value, _mail_subject(hub), _mail_text(number))


def prove_by_mail(hub: Hub, code: str, address: str, number: str) -> int:
    """Prove an address by the code that was mailed to it.

    Returns:
        How many selectors were proven by it.

    Raises:
        NotFound: When the code opens no request, or none was mailed, or it has run out.
        InputError: When the number is wrong.
    """
    stored, keys = find_request(hub, code), open_keys(hub.settings)
    item, selector = _mailbox(keys, stored, address)
    with hub.database.write() as db:
        row = db.execute(select(consent_code).where(consent_code.c.selector_id == item.id).with_for_update()).first()
        if row is None or row.expires < now() or row.tries >= CODE_TRIES:
            raise NotFound("there is no code that works; ask for a new one")
        right = hmac.compare_digest(row.digest, _code_digest(keys, item, "".join(number.split())))
        if right:
            db.execute(delete(consent_code).where(consent_code.c.selector_id == item.id))
        else:
            more = {"tries": row.tries + 1}
            db.execute(update(consent_code).where(consent_code.c.selector_id == item.id).values(**more))
    if not right:
        raise InputError("this is not the code that was mailed")
    return _prove(hub, stored, [item], Method.MAIL, selector.value)


def confirm_by_hand(hub: Hub, request_id: str, note: str, selector_ids: Iterable[str] = ()) -> int:
    """Let whoever runs the hub confirm who asks; the only way for somebody who speaks for somebody else.

    Args:
        hub: Where.
        request_id: Which request.
        note: What it was established by; a keyed digest of it is kept.
        selector_ids: Which selectors; all when there are none.

    Returns:
        How many selectors were proven by it.

    Raises:
        NotFound: When there is no such request, or it is over.
    """
    with hub.database.read() as db:
        stored = load_request(db, request_id)
    wanted = set(selector_ids)
    items = [item for item in stored.items if not wanted or item.id in wanted]
    return _prove(hub, stored, items, Method.OPERATOR, note)


def _prove(hub: Hub, stored: Stored, items: Sequence[Item], method: Method, shown: str) -> int:
    if stored.status not in (Status.PENDING, Status.ACTIVE):
        raise NotFound("this request is over already")
    if stored.representative and method is not Method.OPERATOR:
        raise Forbidden("whoever speaks for somebody else is confirmed by the people who run this hub")
    wanted = [item.id for item in items if item.proven is None]
    if not wanted:
        return 0
    digest = (
        open_keys(hub.settings).digest.digest(b"proof", f"{method}\0{shown}".encode("utf-8", "surrogatepass")).hex()
    )
    with hub.database.write() as db:
        open_ = (consent_selector.c.id.in_(wanted), consent_selector.c.proven.is_(None))
        done = db.execute(
            update(consent_selector).where(*open_).values(proof=method.value, proof_digest=digest, proven=now())
        ).rowcount
        first = db.execute(
            update(consent_request)
            .where(consent_request.c.id == stored.id, consent_request.c.status == Status.PENDING)
            .values(status=Status.ACTIVE)
        ).rowcount
    if first:
        log_event(hub, stored.id, "confirmed")
    return done


def _belongings(db: Connection, actor: Actor) -> list[tuple[Kind, str]]:
    """List the accounts that somebody speaks for, and the repositories of those."""
    mine = {actor.account_id or "": actor.name}
    rows = db.execute(
        select(account.c.id, account.c.name)
        .join(membership, membership.c.organisation_id == account.c.id)
        .where(
            membership.c.account_id == actor.account_id, membership.c.role == Role.OWNER, account.c.disabled.is_(None)
        )
    )
    mine |= {row.id: row.name for row in rows}
    owned = select(repository.c.key).where(repository.c.owner_id.in_(list(mine)), repository.c.deleted.is_(None))
    repositories = [row.key for row in db.execute(owned)]
    return [*((Kind.ACCOUNT, name) for name in mine.values()), *((Kind.REPOSITORY, key) for key in repositories)]


def _site(key: RegistryKey, place: str) -> tuple[str, set[str]]:
    """Return the host of a place, and digests of selectors that its owner may speak for."""
    try:
        address = make_selector(Kind.URL, place).value
    except InputError:
        address = normal_host(place)
    host = address.partition("/")[0].partition("?")[0]
    digests = {_digest(key, Kind.URL, url) for url in url_and_above(address)}
    # A name's owner speaks for the name itself; whoever has a name below it does not speak for the one above, nor does
    # whoever may answer on some other port of the machine.
    if ":" not in host and domain_and_above(host):
        digests.add(_digest(key, Kind.DOMAIN, host))
    return host, digests


def _digest(key: RegistryKey, kind: Kind, value: str) -> str:
    return selector_digest(key, make_selector(kind, value)).hex()


def _mailbox(keys: Keys, stored: Stored, address: str) -> tuple[Item, Selector]:
    selector = make_selector(Kind.ACCOUNT, address)
    digest = selector_digest(keys.digest, selector).hex()
    item = next((item for item in stored.items if item.digest == digest), None)
    if item is None or "@" not in selector.value:
        raise InputError("this request is not about that address; write it as you did when you made the request")
    return item, selector


def _code_digest(keys: Keys, item: Item, number: str) -> str:
    return keys.digest.digest(b"mail", f"{item.id}\0{number}".encode()).hex()


def _scheme(rules: Rules, host: str) -> str:
    """Return ``https``; ``http`` for hosts that the operator named as internal ones, most of which have no key."""
    return "http" if host in rules.internal else "https"


def _mail_subject(hub: Hub) -> str:
    return f"Code for your request at {hub.settings.server.name}"


def _mail_text(number: str) -> str:
    return (
        f"Your code is {number}. It works for {CODE_MINUTES} minutes.\n\n"
        "Somebody made a request about the use of data and gave this address. If that was not you, do nothing: without"
        " the code the request does not count.\n"
    )
