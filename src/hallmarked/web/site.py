"""Puts the pages into the application: what every page shares, static files, and errors as documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import Error, NotFound
from hallmarked.hub.access import ANYBODY, Actor
from hallmarked.hub.account.account import change_account
from hallmarked.web.error import answer
from hallmarked.web.form import Form, with_form
from hallmarked.web.header import HeaderMiddleware
from hallmarked.web.language import Language, choose_language, load_languages
from hallmarked.web.page.problem import Problem
from hallmarked.web.page.registry import FORMS, PAGES
from hallmarked.web.render import STATIC, Renderer, Site, describe, make_routes, respond, static
from hallmarked.web.request import actor_of, hub_of
from hallmarked.web.session import csrf_token, is_secure, local_path

SENTENCES = {
    400: "This request could not be understood.",
    404: "There is no page at this address.",
    405: "This address does not take that kind of request.",
    500: "Something went wrong on our side; what went wrong is in the log of this hub.",
}
"""What is said where no error of ours says more."""
COOKIE = "language"
"""Keeps the language somebody chose in this browser."""
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def install(app: FastAPI) -> None:
    """Give an application its pages, their static files, documents for errors, and the headers of every response."""
    renderer = Renderer(load_languages())

    def of(request: Request) -> Site:
        return site_of(request, renderer)

    def show(request: Request, template: str, page: object, status: int) -> Response:
        return respond(renderer.render(template, page, of(request)), status)

    app.state.show = show
    app.add_middleware(HeaderMiddleware)
    app.router.routes.extend(
        [
            Route("/static/{name}", send_static),
            Route("/settings/language", with_form(choose), methods=["POST"]),
            *FORMS,
            *make_routes(PAGES, renderer, of),
        ]
    )
    _describe_pages(app)
    app.add_exception_handler(Error, _documents(answer, of, renderer))
    app.add_exception_handler(HTTPException, _documents(_answer_route, of, renderer))
    app.add_exception_handler(Exception, _documents(_answer_fault, of, renderer))


def _describe_pages(app: FastAPI) -> None:
    """Let the API description have the pages' data, worked out when somebody asks for it."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = plain()
            paths, schemas = _described()
            described["paths"] |= paths
            described.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI's documentation says to extend it


@cache
def _described() -> tuple[dict[str, Any], dict[str, Any]]:
    return describe(PAGES)


def site_of(request: Request, renderer: Renderer) -> Site:
    """Say what every page shares, for whoever asks."""
    known = getattr(request.state, "actor", ANYBODY)
    actor = known if isinstance(known, Actor) else ANYBODY
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Site(
        language_of(request, renderer.languages),
        tuple(renderer.languages.values()),
        path,
        twin_of(request),
        actor.name,
        actor.administrator,
        csrf_token(request),
        hub_of(request).settings.server.name,
    )


def language_of(request: Request, languages: Mapping[str, Language]) -> Language:
    """Choose the language: by what somebody chose for their account, then in this browser, then what that asks for."""
    known = getattr(request.state, "actor", ANYBODY)
    chosen = [known.language if isinstance(known, Actor) else "", request.cookies.get(COOKIE, "")]
    return choose_language(languages, chosen, request.headers.get("accept-language", ""))


def twin_of(request: Request) -> str:
    """Return the address of the same page as data; empty when it has none."""
    pattern = getattr(request.state, "twin", "")
    values = {key: quote(str(value), safe="/%") for key, value in request.path_params.items()}
    path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values[found[1]], pattern)
    return path + (f"?{request.url.query}" if path and request.url.query else "")


def send_static(request: Request) -> Response:
    """Send one of the files that pages ask for.

    Raises:
        NotFound: When it is none of them.
    """
    name = request.path_params["name"]
    if name not in STATIC:
        raise NotFound("there is no such file")
    data, digest = static(name)
    lasting = "public, max-age=31536000, immutable" if request.query_params.get("v") == digest else "no-cache"
    return Response(data, media_type=TYPES[name.rpartition(".")[2]], headers={"Cache-Control": lasting})


def choose(request: Request, form: Form) -> Response:
    """Remember the language somebody chose, with their account when they have one, and go back to their page."""
    response = RedirectResponse(local_path(form.text("next")), 303)
    code = form.text("language")
    hub = hub_of(request)
    with hub.database.read() as db:
        actor = actor_of(request, db)
    if actor.account_id is not None and actor.in_person and code != actor.language:
        with hub.database.write() as db:
            change_account(db, actor.account_id, language=code)
    response.set_cookie(COOKIE, code[:20], max_age=31_536_000, httponly=True, samesite="lax", secure=is_secure(request))
    return response


def wants_document(request: Request) -> bool:
    """Whether a person asks with a browser, and not a program."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _documents(
    plain: Callable[[Request, Exception], Response], of: Callable[[Request], Site], renderer: Renderer
) -> Callable[[Request, Exception], Response]:
    """Answer errors to people with a page, to programs as before."""

    def handle(request: Request, error: Exception) -> Response:
        response = plain(request, error)
        if not wants_document(request) or response.status_code < 400:
            return response
        code = response.headers.get("X-Error-Code", "error")
        sentence = str(error) if isinstance(error, Error) else SENTENCES.get(response.status_code, "")
        problem = Problem(
            response.status_code, code, sentence or SENTENCES[400], response.headers.get("X-Request-Id", "")
        )
        page = respond(renderer.render("error.html.j2", problem, of(request)), response.status_code)
        for name, value in response.headers.items():
            if name.startswith("x-") or name in {"retry-after", "allow"}:
                page.headers[name] = value
        return page

    return handle


def _answer_route(_request: Request, error: Exception) -> Response:
    """Answer what no route answers."""
    assert isinstance(error, HTTPException)
    said = SENTENCES.get(error.status_code, str(error.detail))
    return JSONResponse({"error": said}, error.status_code, error.headers)


def _answer_fault(_request: Request, _error: Exception) -> Response:
    """Answer a fault of ours; what went wrong is in the log, not in the answer."""
    return JSONResponse({"error": SENTENCES[500]}, 500)
