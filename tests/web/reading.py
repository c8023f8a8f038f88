"""Reads pages as tests need them: elements, text, and what must hold for every page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlsplit


class Reader(HTMLParser):
    """Collects elements and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        """All text, spaces joined."""
        return " ".join("".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of each element of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def check_document(text: str, language: str) -> Reader:
    """Assert what holds for every page, and return it read."""
    page = Reader(text)
    names = [tag for tag, _ in page.tags]
    assert page.all("html")[0]["lang"] == language
    for single in ("h1", "main", "header", "footer"):
        assert names.count(single) == 1, single
    assert names[: names.index("body")].count("title") == 1
    assert names.count("title") == 1 or "svg" in names  # drawings have titles of their own
    levels = [int(tag[1]) for tag in names if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        assert tag != "style"
        for name in ("src", "href", "action", "formaction"):
            target = attributes.get(name, "/")
            parts = urlsplit(target)
            outside = bool(parts.scheme or parts.netloc)
            assert not outside or (tag == "a" and parts.scheme in {"http", "https", "mailto"}), (tag, target)
            if target.startswith("#") and len(target) > 1:
                assert target[1:] in ids, target
    assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))
    assert all(cell.get("scope") for cell in page.all("th"))
    assert all("alt" in image for image in page.all("img"))
    for form in page.all("form"):
        assert form.get("method", "get").lower() == "get" or form["action"].startswith("/")
    posts = sum(form.get("method", "").lower() == "post" for form in page.all("form"))
    assert sum(field.get("name") == "csrf" for field in page.all("input")) == posts
    return page
