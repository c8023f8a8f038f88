"""One function makes a page's context: people get a document, programs get the same as data."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import httpx
import pytest
from fastapi import FastAPI
from markupsafe import Markup
from pydantic import TypeAdapter
from starlette.requests import Request

from hallmarked.cards.sheet import sheet
from hallmarked.web.header import PAGE_POLICY
from hallmarked.web.page.problem import Problem
from hallmarked.web.render import Page, Renderer, context, describe, make_routes, stylesheet, twin
from tests.audit.report.test_html import check_contrast
from tests.web.reading import check_document
from tests.web.site import LANGUAGES, site

RENDERER = Renderer(LANGUAGES)


def broken(request: Request) -> Problem:
    return Problem(418, "teapot", f"<b>{request.path_params['name']}</b> \u202e")


def app() -> FastAPI:
    made = FastAPI()
    pages = [Page("/broken/{name}", "error.html.j2", broken)]
    made.router.routes.extend(make_routes(pages, RENDERER, lambda request: site(path=request.url.path)))
    return made


async def get(path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://hub") as client:
        return await client.get(path)


@pytest.mark.anyio
async def test_document_and_twin_say_the_same() -> None:
    """The same function answers at both addresses; text stays text; only the document may load style and script."""
    document, data = await get("/broken/x"), await get("/broken.json/x")
    page = check_document(document.text, "en")
    assert "<b>x</b> \\u202e" in page.words
    assert document.headers["Content-Security-Policy"] == PAGE_POLICY
    assert data.json() == {"status": 418, "code": "teapot", "sentence": "<b>x</b> \u202e", "reference": ""}
    assert "Content-Security-Policy" not in data.headers


def test_twin_is_described() -> None:
    """The API description has the twin, its parameters, and what each field means."""
    paths, schemas = describe([Page("/broken/{name}", "error.html.j2", broken)])
    operation = paths["/broken.json/{name}"]["get"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["name"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Problem"}
    assert schemas["Problem"]["properties"]["status"]["description"] == "HTTP status."


def test_addresses_of_twins() -> None:
    """The suffix stands after the last fixed part, so that no path inside a repository can be taken for data."""
    assert twin("/") == "/index.json"
    assert twin("/{owner}/{name}") == "/{owner}/{name}.json"
    assert twin("/{owner}/{name}/blob/{revision}/{path:path}") == "/{owner}/{name}/blob.json/{revision}/{path:path}"


def test_contexts_take_markup_and_times() -> None:
    """Markup is written as text, times as ISO 8601."""

    @context
    class Example:
        """An example."""

        time: datetime
        """When."""

    made = Example(datetime(2026, 11, 20, tzinfo=UTC))
    assert TypeAdapter(Example).dump_json(made) == b'{"time":"2026-11-20T00:00:00Z"}'
    assert RENDERER.render("error.html.j2", Problem(500, "x", Markup("<i>kept</i>")), site()).count("<i>kept</i>") == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 429, 500, 503])
@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_errors_say_what_to_do(status: int, code: str) -> None:
    """Every error page has one sentence and a next step, in each language."""
    text = RENDERER.render("error.html.j2", Problem(status, "x", "The sentence.", "abc123"), site(code))
    page = check_document(text, code)
    assert "The sentence." in page.words
    assert "abc123" in page.words
    assert text.count("<li>") >= 1
    if code != "en":
        assert 'lang="en">The sentence.' in text


def test_contrast() -> None:
    """Text has enough contrast on every surface of the pages, in both schemes."""
    css = stylesheet()
    assert sheet.style() in css
    check_contrast(css)


def test_script_is_small_and_inert_without_help() -> None:
    """The script is small, makes no markup from text, and evaluates nothing."""
    script = (files("hallmarked.web") / "static" / "site.js").read_text()
    assert len(script.encode()) < 6000
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval", "Function("):
        assert forbidden not in script
