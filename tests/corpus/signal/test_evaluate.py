"""Signals of rights holders: each kind, and the most restrictive of all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.signal.evaluate import evaluate
from hallmarked.corpus.signal.model import Crawlers, Decision, Kind, Snapshot, Source, training_crawlers
from hallmarked.corpus.signal.robots import matches

URL = "https://example.org/articles/one.html?page=2"
A, U, D = Decision.ALLOWED, Decision.UNKNOWN, Decision.DENIED


def decide(kind: Kind, text: str, media: str = "", own: tuple[str, ...] = (), url: str = URL) -> Decision:
    return evaluate(Snapshot(url, (Source(kind, text.encode()),), media), Crawlers(own)).decision


def credentials(**entries: object) -> str:
    data = {"entries": {f"cawg.{name}": {"use": use} for name, use in entries.items()}}
    return json.dumps({"manifests": {"a": {"assertions": [{"label": "cawg.training-mining", "data": data}]}}})


CASES = [
    # robots.txt: groups, paths, crawlers
    (Kind.ROBOTS, "", A),
    (Kind.ROBOTS, "User-agent: *\nDisallow:", A),
    (Kind.ROBOTS, "User-agent: *\nDisallow: /", D),
    (Kind.ROBOTS, "USER-AGENT : *\ndisallow : /articles # no", D),
    (Kind.ROBOTS, "User-agent: *\nDisallow: /\nAllow: /articles/", A),
    (Kind.ROBOTS, "User-agent: *\nDisallow: /articles/\nAllow: /articles/", A),
    (Kind.ROBOTS, "User-agent: *\nDisallow: /*.html$", A),
    (Kind.ROBOTS, "User-agent: *\nDisallow: /*page=2$", D),
    (Kind.ROBOTS, "User-agent: searchbot\nDisallow: /", A),
    (Kind.ROBOTS, "User-agent: gptbot\nDisallow: /\n\nUser-agent: *\nAllow: /", D),
    (Kind.ROBOTS, "User-agent: CCBot\nUser-agent: other\nDisallow: /articles", D),
    (Kind.ROBOTS, "User-agent: CCBot\nAllow: /\nUser-agent: CCBot\nDisallow: /articles", D),
    (Kind.ROBOTS, "Disallow: /", A),
    (Kind.ROBOTS, "<!doctype html><p>Not found", U),
    (Kind.ROBOTS, "User-agent: *\n" + "Disallow: /x\n" * 30_000, U),
    # Content-Usage and Content-Signal in it
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: train-ai=n", D),
    (Kind.ROBOTS, "User-agent: *\nCONTENT-USAGE: Train-AI=N, search=y", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: train-ai=y, search=n", A),
    (Kind.ROBOTS, "Content-Usage: train-ai=n", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: /articles/ train-ai=n\nContent-Usage: train-ai=y", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /articles/ train-ai=y", A),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: /articles/ train-ai=y\nContent-Usage: /articles/ train-ai=n", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: /other/ train-ai=n", A),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: train-ai=perhaps", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: train-ai", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: bots=n", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: something-new=n", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: something-new=y", A),
    (Kind.ROBOTS, "User-agent: *\nContent-Usage: what is this?", U),
    (Kind.ROBOTS, "User-agent: *\nContent-Signal: search=yes, ai-input=yes, ai-train=no\nAllow: /", D),
    (Kind.ROBOTS, "User-agent: *\nContent-Signal: search=yes,ai-train=yes,use=reference\nAllow: /", A),
    (Kind.ROBOTS, "User-agent: *\nContent-Signal: ai-train=maybe", D),
    # fields of the response
    (Kind.HEADERS, "HTTP/1.1 200 OK\nContent-Type: text/html", A),
    (Kind.HEADERS, "X-Robots-Tag: NOAI", D),
    (Kind.HEADERS, "x-robots-tag: all\nX-Robots-Tag: NoAI", D),
    (Kind.HEADERS, "X-Robots-Tag: nosnippet, noimageai", D),
    (Kind.HEADERS, "X-Robots-Tag: noindex", D),
    (Kind.HEADERS, "X-Robots-Tag: otherbot: noindex", A),
    (Kind.HEADERS, "X-Robots-Tag: otherbot: noindex, noai", D),
    (Kind.HEADERS, "X-Robots-Tag: GPTBot: noindex", D),
    (Kind.HEADERS, "X-Robots-Tag: max-snippet: 10, max-image-preview: large", A),
    (Kind.HEADERS, "X-Robots-Tag: unavailable_after: 25 Jun 2030 15:00:00 GMT", U),
    (Kind.HEADERS, "X-Robots-Tag: noaitraining", D),
    (Kind.HEADERS, "Content-Usage: train-ai=n", D),
    (Kind.HEADERS, "Content-Usage: search=n", A),
    (Kind.HEADERS, "content-signal: ai-train=no", D),
    (Kind.HEADERS, "tdm-reservation: 1\ntdm-policy: https://example.org/terms", D),
    (Kind.HEADERS, "TDM-Reservation:  1", D),
    (Kind.HEADERS, "tdm-reservation: 0", A),
    (Kind.HEADERS, "tdm-reservation: yes", D),
    # the page
    (Kind.HTML, "<html><head><title>x</title></head><body>", A),
    (Kind.HTML, '<META NAME="ROBOTS" CONTENT="NoAI, NoImageAI">', D),
    (Kind.HTML, '<meta content="noai" name="robots">', D),
    (Kind.HTML, '<meta name="googlebot" content="noindex">', A),
    (Kind.HTML, '<meta name="gptbot" content="noindex">', D),
    (Kind.HTML, '<meta name="tdm-reservation" content="1">', D),
    (Kind.HTML, '<meta name="tdm-reservation" content="0">', A),
    (Kind.HTML, '<meta name="robots" content="index, follow">', A),
    (Kind.HTML, '<!-- <meta name="robots" content="noai"> -->', A),
    (Kind.HTML, "<head>" + " " * 300_000, U),
    # ai.txt
    (Kind.AI_TXT, "User-Agent: *\nDisallow: /", D),
    (Kind.AI_TXT, "User-Agent: *\nDisallow: *.html", D),
    (Kind.AI_TXT, "User-Agent: *\nDisallow: *.jpg\nAllow: *.html", A),
    (Kind.AI_TXT, "User-Agent: *\nAllow: /articles\nDisallow: /articles", D),
    (Kind.AI_TXT, "<html>", U),
    # tdmrep.json
    (Kind.TDMREP, "[]", A),
    (Kind.TDMREP, '[{"location": "/", "tdm-reservation": 1}]', D),
    (Kind.TDMREP, '[{"location": "/articles/*.html", "tdm-reservation": 1, "tdm-policy": "https://x"}]', D),
    (Kind.TDMREP, '[{"location": "/images/", "tdm-reservation": 1}]', A),
    (Kind.TDMREP, '[{"location": "/", "tdm-reservation": 0}]', A),
    (Kind.TDMREP, '[{"Location": "articles", "TDM-Reservation": "1"}]', D),
    (Kind.TDMREP, '[{"location": "/", "tdm-reservation": true}]', D),
    (Kind.TDMREP, '[{"location": "/", "tdm-reservation": "2"}]', D),
    (Kind.TDMREP, '[{"tdm-reservation": 0}]', U),
    (Kind.TDMREP, "not json", U),
    (Kind.TDMREP, "{}", U),
    (Kind.TDMREP, "[" * 100_000, U),
    # content credentials
    (Kind.CREDENTIALS, '{"manifests": {}}', A),
    (Kind.CREDENTIALS, credentials(ai_training="notAllowed"), D),
    (Kind.CREDENTIALS, credentials(data_mining="NOTALLOWED"), D),
    (Kind.CREDENTIALS, credentials(ai_generative_training="constrained"), D),
    (Kind.CREDENTIALS, credentials(ai_training="sometimes"), D),
    (Kind.CREDENTIALS, credentials(ai_training="allowed", ai_inference="notAllowed"), A),
    (Kind.CREDENTIALS, credentials(ai_something="notAllowed"), D),
    (Kind.CREDENTIALS, credentials(ai_training="notAllowed").replace("cawg", "c2pa"), D),
    (Kind.CREDENTIALS, credentials(ai_training="notAllowed").replace("training-mining", "training-mining__2"), D),
    (Kind.CREDENTIALS, '{"manifests": {"a": {"assertions": [{"label": "cawg.training-mining"}]}}}', U),
    (Kind.CREDENTIALS, "nothing", U),
    (Kind.CREDENTIALS, "[]", U),
    # licences
    (Kind.LICENCE, "", A),
    (Kind.LICENCE, "CC-BY-4.0", A),
    (Kind.LICENCE, "CC BY-SA 4.0", A),
    (Kind.LICENCE, "https://creativecommons.org/licenses/by/4.0/", A),
    (Kind.LICENCE, "https://creativecommons.org/publicdomain/zero/1.0/", A),
    (Kind.LICENCE, "https://creativecommons.org/licenses/by-nc-nd/4.0/", U),
    (Kind.LICENCE, "cc-by-nc-4.0", U),
    (Kind.LICENCE, "MIT", A),
    (Kind.LICENCE, "mitigated-terms", U),
    (Kind.LICENCE, "All rights reserved.", D),
    (Kind.LICENCE, "CC-BY-NoAI-1.0", D),
    (Kind.LICENCE, "the house's own terms", U),
]


@pytest.mark.parametrize(("kind", "text", "decision"), CASES)
def test_signals(kind: Kind, text: str, decision: Decision) -> None:
    """Case does not count; what is not known of a known signal refuses; what cannot be read is unknown."""
    assert decide(kind, text) is decision


def test_images() -> None:
    """What is said of images only does not count for who uses the text."""
    assert decide(Kind.HEADERS, "X-Robots-Tag: noimageai", "text") is A
    assert decide(Kind.HTML, '<meta name="robots" content="noimageai">', "image") is D


def test_own_crawler() -> None:
    """Rules for our crawler count instead of those for everybody; training crawlers that are named still do."""
    welcome = "User-agent: ourbot\nAllow: /\n\nUser-agent: *\nDisallow: /"
    assert decide(Kind.ROBOTS, welcome) is D
    assert decide(Kind.ROBOTS, welcome, own=("OurBot",)) is A
    assert decide(Kind.ROBOTS, welcome, own=("OurBot", "second")) is D
    assert decide(Kind.ROBOTS, f"{welcome}\nUser-agent: GPTBot\nDisallow: /", own=("ourbot",)) is D
    assert decide(Kind.HEADERS, "X-Robots-Tag: ourbot: noindex", own=("ourbot",)) is D
    assert len(training_crawlers()) > 10


@pytest.mark.parametrize("status", [301, 403, 429, 500, 503])
@pytest.mark.parametrize("kind", list(Kind))
def test_what_could_not_be_read(kind: Kind, status: int) -> None:
    """A source that came with an error is unknown and never allowed; one that does not exist says nothing."""
    assert evaluate(Snapshot(URL, (Source(kind, b"", status),))).decision is U
    assert evaluate(Snapshot(URL, (Source(kind, b"Disallow: /", 404),))).decision is A
    assert evaluate(Snapshot(URL, (Source(kind, b"", failure="no time"),))).decision is U


def test_nothing_to_read() -> None:
    """Having looked nowhere is no permission."""
    with pytest.raises(InputError):
        evaluate(Snapshot(URL, ()))
    with pytest.raises(InputError):
        evaluate(Snapshot("http://[", (Source(Kind.HTML, b""),)))


def test_verdict_can_be_reproduced() -> None:
    """A verdict names its reasons with the digests of their sources, and one digest of all that it follows from."""
    robots = Source(Kind.ROBOTS, b"User-agent: *\nAllow: /")
    header = Source(Kind.HEADERS, b"X-Robots-Tag: noai")
    one, other = (evaluate(Snapshot(URL, each)) for each in ((robots, header), (header, robots)))
    assert one == other
    assert one.reasons[0].digest == header.digest
    assert one.reasons[0].words == "X-Robots-Tag says noai"
    digests = {
        evaluate(Snapshot(URL, (robots,))).digest,
        evaluate(Snapshot(URL + "x", (robots,))).digest,
        evaluate(Snapshot(URL, (robots,), "text")).digest,
        evaluate(Snapshot(URL, (robots,)), Crawlers(("ourbot",))).digest,
        one.digest,
    }
    assert len(digests) == 5


KINDS = st.sampled_from(list(Kind))
SOURCES = st.one_of(
    st.sampled_from([Source(kind, text.encode()) for kind, text, _ in CASES if len(text) < 1_000]),
    st.builds(Source, KINDS, st.binary(max_size=200), st.sampled_from([200, 204, 404, 503])),
    st.builds(lambda kind, text: Source(kind, text.encode("utf-8", "replace")), KINDS, st.text(max_size=200)),
)


@given(st.lists(SOURCES, min_size=1, max_size=5), SOURCES, st.sampled_from(["", "text", "image"]))
def test_more_signals_never_permit_more(sources: list[Source], more: Source, media: str) -> None:
    """Whatever is added to a snapshot, the verdict does not become more permissive, and nothing makes it fail."""
    before = evaluate(Snapshot(URL, tuple(sources), media))
    after = evaluate(Snapshot(URL, (*sources, more), media))
    assert after.decision.rank >= before.decision.rank
    assert set(before.reasons) <= set(after.reasons)


@pytest.mark.parametrize(
    ("pattern", "path", "does"),
    [
        ("/fish", "/fish.html", True),
        ("/fish", "/catfish", False),
        ("/Fish", "/fish", False),
        ("/fish*", "/fish/salmon", True),
        ("/*.php", "/a/b.php?c", True),
        ("/*.php$", "/a/b.php?c", False),
        ("/*.php$", "/a/b.php", True),
        ("/a*b*c$", "/a1b2c", True),
        ("/a*b*c$", "/a1c2b", False),
        ("/a*a$", "/a", False),
        ("*", "/", True),
        ("$", "/", False),
        ("", "/", False),
        ("/%7Ejoe", "/~joe", True),
        ("/ü", "/%C3%BC", True),
        ("/a%2Fb", "/a/b", False),
        ("/" + "*a" * 900, "/" + "b" * 5_000, False),
    ],
)
def test_patterns(pattern: str, path: str, does: bool) -> None:
    """Patterns match as RFC 9309 says, in time that does not explode."""
    assert matches(pattern, path) is does
