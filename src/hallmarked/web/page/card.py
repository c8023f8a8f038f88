"""The card of a repository: what is claimed, how it stands, how we know, and where to check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from urllib.parse import urlencode

from starlette.requests import Request

from hallmarked.cards.document.document import CARD, Document, read_document
from hallmarked.cards.translation import Passage, State, Translation, language_of, read_translation
from hallmarked.cards.view.card import CardView, Look, make_view
from hallmarked.cards.view.html import below_title
from hallmarked.cards.view.line import ClaimLine, Proof
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Location
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.repository.revision import list_files
from hallmarked.hub.review.attested import list_places
from hallmarked.hub.review.outside import Outside, list_outside
from hallmarked.web.markdown import Rendered, render_markdown
from hallmarked.web.page import evidence
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page, read_words, use_commands, verify_commands
from hallmarked.web.render import Html, Page, context

MOST_LANGUAGES = 30
"""Translations of one card that are offered."""
MOST_OUTSIDE = 50
"""Statements of others on a card; the list of the API has all."""
MOST_VALUES = 3
"""Values named of a statement."""
_APART = "<!-- -->\n\n"
"""Stands before a part of a text, so that a line of hyphens does not begin front matter."""


@context
class Stated:
    """One value that somebody stated, and where to check it."""

    path: str
    """What was stated, such as ``eval.recall``."""
    figure: str
    """The value, with interval, number and part."""
    signer: str
    """Who signed it."""
    role: str
    """As what they are trusted; empty when they are not."""
    time: datetime
    """When the log took it in."""
    statement: str
    """Id of the statement."""
    entry: int | None
    """Its place in the ledger of this hub; none when it is not known here."""
    current: bool
    """Whether it is about exactly these files."""


@context
class Claim:
    """Something the card says, and how far evidence bears it out."""

    id: str
    """Names it on the page."""
    name: str
    """How its history is found; empty for what is only shown in the text."""
    status: str
    """``supported``, ``contradicted``, ``stale``, …"""
    others: tuple[str, ...]
    """What else holds of it."""
    kind: str
    """``declared`` for machines; else what it is about, such as ``license``."""
    value: str
    """The value that is claimed, as written."""
    written: str
    """The words of the card."""
    text: str
    """The claim as a sentence."""
    texts: Mapping[str, str]
    """That sentence by language, where its author wrote several."""
    reason: str
    """How we know, or why we do not."""
    figure: str
    """The value that decided; empty when nothing was stated."""
    spot: evidence.Spot | None
    """Where the card says it."""
    stated: tuple[Stated, ...]
    """What was looked at, what decided first."""
    hidden: int
    """How many more statements were looked at."""


@context
class Run:
    """Text of the card in one language and one state."""

    state: str
    """``source``, ``translated``, ``stale`` or ``untranslated``."""
    language: str
    """Its language."""
    html: Html
    """The text, with places for claims."""
    now: Html | None
    """When it is stale: what the card says now."""


@context
class Tongue:
    """A language that the text of the card can be read in."""

    language: str
    """Language tag."""
    url: str
    """Where."""
    chosen: bool
    """Whether it is the one that is shown."""
    own: bool
    """Whether the card was written in it."""
    machine: str
    """Name of the program that translated; empty when people did."""
    translated: int
    """Blocks that follow the card."""
    stale: int
    """Blocks whose source has changed."""
    untranslated: int
    """Blocks that nobody translated."""


@context
class Limit:
    """Something that the card says against what it is about."""

    text: str
    """Its words."""
    language: str
    """Their language."""


@context
class Plain:
    """What a summary in plain language comes to."""

    written: bool
    """Whether its author wrote one."""
    summary: tuple[Run, ...]
    """Its words."""
    lacks: tuple[str, ...]
    """What it does not speak of: ``use``, ``non_use``, ``harms`` or ``contact``."""
    checked: bool
    """Whether it is known for its language how to look for that."""
    too_long: bool
    """Whether it has more than 200 words."""
    hard: bool
    """Whether it is harder to read than such a summary may be."""
    limits: tuple[Limit, ...]
    """Limits that it does not say; all of the card's when there is none."""
    use: tuple[Run, ...]
    """What the card says on what it is for."""
    contact: tuple[Run, ...]
    """What the card says on whom to contact."""


@context
class Readability:
    """How hard a text is to read."""

    lix: float | None
    """LIX; none when it cannot be measured."""
    ari: float | None
    """Automated readability index; none when it cannot be measured."""
    words: int
    """Words that were counted."""
    sentences: int
    """Sentences that were counted."""
    long_words: int
    """Words of more than six letters."""


@context
class Other:
    """A statement that somebody else made about this repository."""

    signer: str
    """Who signed it."""
    role: str
    """As what they are trusted."""
    what: tuple[str, ...]
    """What it says, or of which kind it is."""
    hidden: int
    """How many more values it holds."""
    standing: str
    """``supported`` while it counts, ``disputed``, ``stale`` (about other files) or ``withdrawn`` (removed)."""
    reason: str
    """Why it is disputed or removed."""
    time: datetime
    """When it was stated."""
    entry: int
    """Its place in the ledger."""
    statement: str
    """Id of the statement."""


@context
class Card:
    """The card of a repository: what is claimed, how we know, and where to check."""

    head: Head
    """What stands on top."""
    look: str
    """``technical``, ``plain`` or ``page``."""
    looks: tuple[tuple[str, str], ...]
    """Every look with its address."""
    tongues: tuple[Tongue, ...]
    """Languages the text can be read in, the card's own first."""
    language: str
    """The language of the text."""
    prose: tuple[Run, ...]
    """What people wrote; empty when there is no card."""
    cut: bool
    """Whether the text was too long to show whole."""
    lead: str
    """Its first paragraph, as plain text; may be empty."""
    plain: Plain
    """Its summary in plain language."""
    readability: Readability
    """How hard the text that is shown is to read."""
    problems: tuple[str, ...]
    """What is in the way of reading the card or a translation."""
    claims: tuple[Claim, ...]
    """What the card claims, those to look at first in front."""
    places: tuple[tuple[str, Claim], ...]
    """What is shown in places of the text, by the place as written."""
    shown: tuple[Claim, ...]
    """Values that are shown in the text and are no claims."""
    others: tuple[Other, ...]
    """What others state about it, newest first; what is disputed stays listed."""
    groups: tuple[evidence.Group, ...]
    """Errors and warnings of the audit."""
    unknowns: tuple[evidence.Unknown, ...]
    """What could not be established."""
    facts: tuple[evidence.Fact, ...]
    """What was measured from the files."""
    holds: tuple[tuple[str, str], ...]
    """What a data set holds, as its tables were counted: label and sentence."""
    reports: tuple[evidence.Report, ...]
    """What each check came to."""
    commands: tuple[str, ...]
    """How to check it without believing this page, line by line."""
    uses: tuple[str, ...]
    """How to get its files, line by line."""


def show_card(request: Request, kind: str) -> Card:
    """Make the card page."""
    with open_page(request, kind) as opened:
        asked = request.query_params
        look = asked.get("view", "")
        view, problems = view_card(opened, look if look in set(Look) else Look.TECHNICAL, asked.get("lang", "")[:40])
        places = list_places(opened.hub, opened.db, opened.repo)
        lines = {line.id: _claim(line, places) for line in (*view.claims, *view.places.values())}
        declared = {line.id for line in view.claims}
        texts = [_rendered(run, opened) for run in _runs(below_title(view))] if view.look is Look.TECHNICAL else []
        seen = opened.seen
        serious = [item for item in seen.findings if item[1].level.value != "note"] if seen else []
        holds = evidence.holds(seen, to_datetime(now()).date()) if seen else None
        readable = view.readability
        return Card(
            opened.head,
            view.look.value,
            tuple((each.value, _address(opened, each, view.language, view)) for each in Look),
            tuple(_tongues(opened, view)),
            view.language,
            tuple(run for run, _ in texts),
            any(rendered.cut for _, rendered in texts),
            next((rendered.lead for _, rendered in texts if rendered.lead), ""),
            _plain(view, opened),
            Readability(readable.lix, readable.ari, readable.words, readable.sentences, readable.long_words),
            (*view.problems, *problems),
            tuple(lines[line.id] for line in view.claims),
            tuple((written, lines[line.id]) for written, line in view.places.items()),
            tuple(lines[name] for name in lines if name not in declared),
            tuple(_others(opened)),
            evidence.group_findings(serious),
            evidence.gap_rows(seen) if seen else (),
            evidence.facts(seen) if seen else (),
            tuple(holds.facts) if holds else (),
            seen.reports if seen else (),
            verify_commands(request, opened),
            use_commands(request, opened),
        )


def view_card(opened: Opened, look: str, language: str) -> tuple[CardView, tuple[str, ...]]:
    """Show the card of an open repository; also say which translations cannot be read."""
    raw = read_words(opened, CARD)
    document = _document(raw, CARD) if raw is not None else read_document(b"")
    translations, problems = _translations(opened) if raw is not None else ([], [])
    view = make_view(
        document,
        opened.known,
        opened.subject,
        to_datetime(now()),
        look=Look(look),
        language=language,
        translations=translations,
    )
    return view, tuple(problems)


@lru_cache(maxsize=32)
def _document(raw: bytes, name: str) -> Document:
    return read_document(raw, name)


@lru_cache(maxsize=64)
def _translation(raw: bytes, name: str) -> Translation:
    return read_translation(read_document(raw, name))


def _translations(opened: Opened) -> tuple[list[Translation], list[str]]:
    found: list[Translation] = []
    problems = []
    names = [entry.path for entry in list_files(opened.db, opened.at) if language_of(entry.path)]
    for name in names[:MOST_LANGUAGES]:
        raw = read_words(opened, name)
        try:
            if raw is not None:
                found.append(_translation(raw, name))
        except (InputError, FormatError) as error:
            problems.append(str(error))
    return found, problems


def _address(opened: Opened, look: str, language: str, view: CardView) -> str:
    """Return the address of the card in a look and a language."""
    head = opened.head
    base = head.base if head.revision == "main" else f"{head.base}/card/{head.commit}"
    own = view.offered[0].language
    query = {"view": "" if look == Look.TECHNICAL else str(look), "lang": "" if language == own else language}
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{base}?{asked}" if asked else base


def _tongues(opened: Opened, view: CardView) -> Iterator[Tongue]:
    for index, offer in enumerate(view.offered):
        progress = offer.progress
        yield Tongue(
            offer.language,
            _address(opened, view.look, offer.language, view),
            offer.language == view.language,
            index == 0,
            offer.machine,
            progress.translated if progress else 0,
            progress.stale if progress else 0,
            progress.untranslated if progress else 0,
        )


def _runs(passages: Sequence[Passage]) -> Iterator[tuple[Passage, str, str | None]]:
    """Join passages of one language and state; each stale one stands alone beside what the card says now."""

    def together(passage: Passage) -> tuple[object, ...]:
        return passage.state, passage.language, id(passage) if passage.state is State.STALE else 0

    names = [each.block.source for each in passages if each.block.kind == "definition"]
    for _, group in groupby(passages, together):
        members = list(group)
        text = "\n\n".join([*(each.block.source for each in members), *names])
        source = members[0].source if members[0].state is State.STALE else None
        yield members[0], text, "\n\n".join([source.source, *names]) if source is not None else None


def _rendered(run: tuple[Passage, str, str | None], opened: Opened) -> tuple[Run, Rendered]:
    first, text, current = run
    shown = render_markdown(_APART + text, opened.place())
    instead = render_markdown(_APART + current, opened.place()).html if current is not None else None
    return Run(first.state.value, first.language, shown.html, instead), shown


def _plain(view: CardView, opened: Opened) -> Plain:
    def shown(passages: Sequence[Passage]) -> tuple[Run, ...]:
        return tuple(_rendered(run, opened)[0] for run in _runs(passages))

    summary = view.summary
    limits = view.limitations if summary is None or view.look is Look.PAGE else summary.unsaid
    inside = set(map(id, summary.blocks)) if summary else set()
    return Plain(
        summary is not None,
        shown([each for each in view.passages if id(each.block) in inside]),
        summary.lacks if summary else (),
        summary.checked if summary else False,
        summary.too_long if summary else False,
        summary.readability.plain is False if summary else False,
        tuple(Limit(each.text, each.language) for each in limits),
        shown(view.section("use")),
        shown(view.section("contact")),
    )


def _claim(line: ClaimLine, places: Mapping[str, int]) -> Claim:
    return Claim(
        line.id,
        line.name,
        line.status.value,
        tuple(status.value for status in line.others),
        line.kind,
        line.claimed,
        line.written,
        line.text,
        dict(line.texts),
        line.reason,
        line.value,
        evidence.spot(Location(CARD, line=line.line)) if line.line else None,
        tuple(_stated(proof, places) for proof in line.proofs),
        line.hidden,
    )


def _stated(proof: Proof, places: Mapping[str, int]) -> Stated:
    entry = places.get(proof.statement)
    return Stated(
        proof.path,
        proof.figure,
        proof.signer,
        proof.role,
        proof.time,
        proof.statement,
        entry,
        proof.current,
    )


def _others(opened: Opened) -> Iterator[Other]:
    for one in list_outside(opened.db, opened.repo, limit=MOST_OUTSIDE):
        rows = one.attestation.statement.predicate.get("measurements")
        values = [
            f"{row['metric']} = {row['value']}"
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict) and {"metric", "value"} <= row.keys()
        ]
        said = one.attestation.statement
        named = said.predicate_type.removeprefix("urn:hallmarked:").removesuffix(":v1")
        about = said.predicate.get("reason") or said.predicate.get("about")
        kind = f"{named}: {about}"[:300] if isinstance(about, str) else named
        standing, reason = _standing(one, opened)
        yield Other(
            one.attestation.signer,
            one.attestation.role,
            tuple(values[:MOST_VALUES]) or (kind,),
            max(0, len(values) - MOST_VALUES),
            standing,
            reason,
            one.attestation.time,
            one.entry,
            one.attestation.id,
        )


def _standing(one: Outside, opened: Opened) -> tuple[str, str]:
    """Say whether a statement counts. One that is disputed stays listed, whoever disputes it."""
    if one.removed is not None:
        return "withdrawn", one.reason
    dispute = opened.known.facts.disputed(one.attestation.id)
    if dispute is not None:
        return "disputed", dispute.reason
    return ("supported" if one.revision == opened.at.oid else "stale"), ""


PAGES = (
    Page("/{owner}/{name}", "repository/card.html.j2", show_card, KINDS),
    Page("/{owner}/{name}/card/{revision}", "repository/card.html.j2", show_card, KINDS),
)
