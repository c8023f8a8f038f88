"""A card as Markdown, with values, statuses and the way to the proof in the places for claims."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hallmarked.cards.block import Block
from hallmarked.cards.translation import Passage, State
from hallmarked.cards.view.card import CardView, Look
from hallmarked.cards.view.html import MOST_ON_PAGE, below_title
from hallmarked.cards.view.label import LACKS, ROLES, STATUSES, Words, interface, words
from hallmarked.cards.view.limitation import Limitation
from hallmarked.cards.view.line import ClaimLine
from hallmarked.core.text import clean

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_CODE_OR_PLACE = re.compile(
    r"(?P<code>(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))|(?P<comment><!--.*?(?:-->|\Z))|\{\{[^{}\r\n]{1,320}\}\}",
    re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ENDS = (".", "!", "?", "…", "。")


def render(view: CardView, language: str = "", commands: Sequence[str] = ()) -> str:
    """Return the document; arguments as those of the HTML one."""
    t = words(interface(language or view.language))
    parts = [f"# {_text(view.title)}", f"{_text(view.name)} · {view.time.date().isoformat()}"]
    parts += [f"> **!** {_text(problem)}" for problem in view.problems]
    if view.look is not Look.TECHNICAL:
        parts += _plain(view, t)
    parts += _claims(view, t)
    if view.look is Look.TECHNICAL:
        parts += [f"## {t('The card')}", *_prose(view, below_title(view), t)]
    if commands:
        parts += [f"## {t('Check it yourself')}", "```console\n" + "\n".join(commands) + "\n```"]
    seen = view.readability
    if seen.lix is not None:
        counts = f"{t('words')} {seen.words}, {t('sentences')} {seen.sentences}, {t('long words')} {seen.long_words}"
        parts.append(f"{t('How hard this is to read:')} LIX {seen.lix}, ARI {seen.ari} ({view.language}; {counts}).")
    return "\n\n".join(parts) + "\n"


def _plain(view: CardView, t: Words) -> Iterator[str]:
    yield f"## {t('In plain language')}"
    limits: Sequence[Limitation] = view.limitations
    found = view.summary
    if found is None:
        yield t(
            "Its author wrote no summary in plain language. What follows are the words of the card and what evidence"
            " says; nothing was made up."
        )
        if use := view.section("use"):
            yield f"## {t('What it is for')}"
            yield from _prose(view, use, t)
    else:
        inside = set(map(id, found.blocks))
        yield from _prose(view, [each for each in view.passages if id(each.block) in inside], t)
        lacks = [f"- {t('It does not say:')} {t(LACKS[name])}." for name in found.lacks]
        if found.too_long:
            lacks.append(f"- {t('It is longer than 200 words:')} {found.readability.words}.")
        if found.readability.plain is False:
            lacks.append(f"- {t('It is hard to read:')} LIX {found.readability.lix}, ARI {found.readability.ari}.")
        if lacks:
            yield f"**{t('This summary lacks something')}**\n\n" + "\n".join(lacks)
        limits = limits if view.look is Look.PAGE else found.unsaid
    yield from _limits(view, limits, t)
    if contact := view.section("contact"):
        yield f"## {t('Whom to contact')}"
        yield from _prose(view, contact, t)


def _limits(view: CardView, limits: Sequence[Limitation], t: Words) -> Iterator[str]:
    if not limits and view.summary is not None:
        return
    yield f"## {t('Limits, in the words of the card')}"
    if not limits:
        yield t("The card names no limit. That does not mean that there is none.")
    most = MOST_ON_PAGE if view.look is Look.PAGE else len(limits)
    yield "\n".join(f"- {_text(' '.join(each.text.split()))}" for each in limits[:most])
    if len(limits) > most:
        yield f"{t('More limits, in the whole card:')} {len(limits) - most}"


def _claims(view: CardView, t: Words) -> Iterator[str]:
    yield f"## {t('What is claimed, and how we know')}"
    if not view.claims:
        yield t("The card declares no claim that evidence could bear out.")
    most = MOST_ON_PAGE if view.look is Look.PAGE else len(view.claims)
    yield from (_claim(line, t) for line in view.claims[:most])
    if len(view.claims) > most:
        yield f"{t('More claims, in the whole card:')} {len(view.claims) - most}"
    declared = {line.id for line in view.claims}
    others = {line.id: line for line in view.places.values() if line.id not in declared}
    if others:
        yield f"## {t('Other values shown in the text')}"
        yield from (_claim(line, t) for line in others.values())


def _claim(line: ClaimLine, t: Words) -> str:
    anchor = f'<a id="claim-{line.id}"></a>'
    rows = [f"- {anchor}**{t(STATUSES[line.status])}**: {_sentence(line.text)} {_sentence(line.reason)}"]
    for proof in line.proofs:
        who = f"{_text(proof.signer)} ({t(ROLES.get(proof.role, proof.role))})" if proof.role else ""
        said = f"{t('Stated by')} {who}" if who else t("Stated by somebody whose key nobody here trusts")
        about = "" if proof.current else f", {t('about other bytes than these')}"
        rows.append(
            f"  - `{proof.path}` = {_text(proof.figure)}. {said}, {proof.time.date().isoformat()}{about},"
            f" `{proof.statement}`"
        )
    return "\n".join(rows)


def _prose(view: CardView, passages: Sequence[Passage], t: Words) -> Iterator[str]:
    for passage in passages:
        if passage.state is State.STALE:
            yield f"*{t('Out of date')}.*"
        elif passage.state is State.UNTRANSLATED:
            yield f"*{t('Not translated; these are the words of the card.')}*"
        if filled := _filled(passage.block, view, t):
            yield filled


def _filled(block: Block, view: CardView, t: Words) -> str:
    """Return a block as written, with claims in their places; in code a place is what it looks like: text.

    Comments are for whoever writes the card, and are left out.
    """
    if block.kind == "html":
        return _COMMENT.sub("", block.source).strip()
    if block.kind in {"code", "definition"}:
        return block.source

    def put(match: re.Match[str]) -> str:
        if match["comment"]:
            return ""
        line = None if match["code"] else view.places.get(match.group())
        if line is None:
            return match.group()
        value = _text(line.value) or t("nothing is stated")
        return f"{value} ([{t(STATUSES[line.status])}](#claim-{line.id}))"

    return _CODE_OR_PLACE.sub(put, block.source).rstrip()


def _sentence(text: str) -> str:
    """Return a text that ends like a sentence, once."""
    return _text(text) if text.rstrip().endswith(_ENDS) else f"{_text(text)}."


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean(text))
