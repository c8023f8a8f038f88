"""One function makes what a page says; it is served as a document and, at the twin's address, as data.

A page function takes a request and returns a frozen dataclass, the page's context. Its template sees
that context as ``page``, what every page shares as ``site``, and nothing else. The JSON twin is the same context, its
schema is in the API description, and it is chosen only by its address (``/ledger`` and ``/ledger.json``): the same link
gives everybody the same thing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial, wraps
from importlib.resources import files
from typing import Annotated, Any, TypeVar, dataclass_transform, get_type_hints

import jinja2
from markupsafe import Markup
from pydantic import ConfigDict, GetPydanticSchema, TypeAdapter
from pydantic_core import core_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from hallmarked import __version__
from hallmarked.cards.language import direction
from hallmarked.cards.sheet import sheet
from hallmarked.cards.sheet.sheet import shape
from hallmarked.core.evidence import Location
from hallmarked.core.text import clean
from hallmarked.web.header import PAGE_POLICY
from hallmarked.web.language import SOURCE, Language
from hallmarked.web.markdown import fill_places, mark_places
from hallmarked.web.sentence import figure, translator

T = TypeVar("T")
Build = Callable[[Request], Any]
Html = Annotated[Markup, GetPydanticSchema(lambda _type, _handler: core_schema.str_schema())]
"""Text that is markup already: made by ``hallmarked.web.markdown``."""
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language"}
"""What a page says depends on who asks."""
STATIC = ("site.css", "site.js", "icon.svg")
"""Files that pages ask for."""
MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
STATES = {"checking": "stale", "held": "fail", "available": "pass", "none": "pass", "added": "note", "removed": "note"}
"""Marks of what only pages say."""
_PART = re.compile(r"\{(\w+)")


@dataclass_transform(frozen_default=True, kw_only_default=False)
def context(kind: type[T]) -> type[T]:
    """Declare what a template sees: a frozen dataclass; the text below each field explains it, in the schema too."""
    made = dataclass(frozen=True, slots=True)(kind)
    made.__pydantic_config__ = ConfigDict(use_attribute_docstrings=True)  # type: ignore[attr-defined]
    return made


@dataclass(frozen=True, slots=True)
class Page:
    """One page and where it stands."""

    path: str
    """Address, as Starlette writes it."""
    template: str
    """Its template in ``hallmarked/web/template``."""
    build: Callable[..., Any]
    """Makes its context from the request (and the kind of repository, where ``kinds`` has some)."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """For pages of repositories: what stands before the address, and the kind it means."""

    @property
    def context(self) -> Any:
        """The dataclass its template sees as ``page``."""
        context = get_type_hints(self.build)["return"]
        assert isinstance(context, type)
        return context


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shares."""

    language: Language
    """The language the page is written in."""
    languages: tuple[Language, ...]
    """The languages there are."""
    path: str
    """Address of this page, with its query."""
    twin: str
    """Address of the same as data; empty when there is none."""
    user: str
    """Name of who is signed in, or an empty string."""
    administrator: bool
    """Whether that person runs this hub."""
    csrf: str
    """The token that every form has to send back."""
    name: str = "hallmarked"
    """What this hub is called."""
    version: str = __version__
    """Version of this program."""


def twin(path: str) -> str:
    """Return the address of a page's data: ``.json`` after the last fixed part, where no name of a file can stand.

    >>> twin("/ledger"), twin("/{owner}/{name}"), twin("/{owner}/{name}/blob/{revision}/{path:path}"), twin("/")
    ('/ledger.json', '/{owner}/{name}.json', '/{owner}/{name}/blob.json/{revision}/{path:path}', '/index.json')
    """
    if path == "/":
        return "/index.json"
    parts = path.split("/")
    fixed = max(
        (index for index, part in enumerate(parts) if part and not part.startswith("{")), default=len(parts) - 1
    )
    if path.endswith("{owner}/{name}"):  # what stands before it is part of the name
        fixed = len(parts) - 1
    return "/".join([*parts[:fixed], f"{parts[fixed]}.json", *parts[fixed + 1 :]])


class Renderer:
    """Makes documents.

    Args:
        languages: The languages there are, by code.
    """

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self.languages = languages
        self.environments = {code: _environment(language) for code, language in languages.items()}

    def render(self, template: str, page: object, site: Site) -> str:
        """Return a document.

        Args:
            template: Name of the template.
            page: Context of the page.
            site: What every page shares.
        """
        return self.environments[site.language.code].get_template(template).render(page=page, site=site)


def make_routes(pages: Iterable[Page], renderer: Renderer, site_of: Callable[[Request], Site]) -> list[BaseRoute]:
    """Serve pages and their twins.

    Args:
        pages: What to serve; an earlier page wins where two addresses could be meant.
        renderer: What makes documents.
        site_of: Says for a request what every page shares.
    """
    routes: list[BaseRoute] = []
    for page in pages:
        for prefix, kind in page.kinds.items() or [("", "")]:
            build = partial(page.build, kind=kind) if page.kinds else page.build
            routes.append(_data(page, prefix, build))
            routes.append(_document(page, prefix, build, renderer, site_of))
    return routes


def show(request: Request, template: str, page: object, status: int = 200) -> Response:
    """Answer with a document outside of :func:`make_routes`, for example after a form that must not be sent twice."""
    answer: Response = request.app.state.show(request, template, page, status)
    return answer


def respond(text: str, status: int = 200) -> HTMLResponse:
    """Answer with a document of ours; only these may load our style sheet and script."""
    return HTMLResponse(text, status, {"Content-Security-Policy": PAGE_POLICY, **PRIVATE})


def _document(
    page: Page, prefix: str, build: Build, renderer: Renderer, site_of: Callable[[Request], Site]
) -> BaseRoute:
    @wraps(page.build)  # the log and the metrics name a route by its function
    def document(request: Request) -> Response:
        made = build(request)
        if isinstance(made, Response):
            return made
        request.state.twin = twin(prefix + page.path)
        return respond(renderer.render(page.template, made, site_of(request)))

    return Route(prefix + page.path, document, name=f"page:{prefix}{page.path}")


def _data(page: Page, prefix: str, build: Build) -> BaseRoute:
    @wraps(page.build)
    def data(request: Request) -> Response:
        made = build(request)
        if isinstance(made, Response):
            return made
        return Response(
            _adapter(page.context).dump_json(made, indent=1), media_type="application/json", headers=PRIVATE
        )

    return Route(twin(prefix + page.path), data, name=f"data:{prefix}{page.path}")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what writes a context as JSON; made when it is first needed, since reading all their texts takes long."""
    return TypeAdapter(kind)


def describe(pages: Iterable[Page]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe the twins of pages for the API description (OpenAPI 3.1).

    Returns:
        Paths, and the schemas they name.
    """
    pages = tuple(pages)
    contexts = {f"{page.context.__module__}.{page.context.__name__}": page.context for page in pages}
    keyed, definitions = TypeAdapter.json_schemas(
        [(name, "serialization", _adapter(kind)) for name, kind in contexts.items()],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Any] = {}
    for page in pages:
        name = f"{page.context.__module__}.{page.context.__name__}"
        for prefix in page.kinds or ("",):
            address = re.sub(r":\w+", "", twin(prefix + page.path))
            text = {"in": "path", "required": True, "schema": {"type": "string"}}
            content = {"application/json": {"schema": keyed[name, "serialization"]}}
            operation = {
                "tags": ["pages"],
                "summary": (page.context.__doc__ or "").partition("\n")[0],
                "operationId": "page" + re.sub(r"[^a-z]+", "-", prefix + page.path),
                "parameters": [{"name": part, **text} for part in _PART.findall(page.path)],
                "responses": {"200": {"description": "What the page says.", "content": content}},
            }
            paths[address] = {"get": operation}
    return paths, definitions.get("$defs", {})


@cache
def stylesheet() -> str:
    """Return the style sheet: what pages share with reports and cards, then what is theirs alone."""
    return sheet.style() + (files("hallmarked.web") / "static" / "site.css").read_text("utf-8")


@cache
def static(name: str) -> tuple[bytes, str]:
    """Return one of the files in ``STATIC`` and a short digest of it, which its address carries."""
    data = stylesheet().encode() if name == "site.css" else (files("hallmarked.web") / "static" / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def _environment(language: Language) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hallmarked.web", "template"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) in {str, Location} else value,
    )
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension adds it
    environment.globals["gettext"] = partial(_one, language)
    environment.globals["ngettext"] = partial(_many, language)
    environment.globals["static"] = lambda name: f"/static/{name}?v={static(name)[1]}"
    environment.globals["marks"] = Markup(sheet.marks() + "\n")  # noqa: S704 -- our own file
    environment.filters |= {
        "number": language.number,
        "size": language.size,
        "date": lambda moment: _time(moment, language.date(moment)),
        "time": lambda moment: _time(moment, language.time(moment)),
        "shape": lambda status: STATES.get(status) or shape(status),
        "stamp": _stamp,
        "figure": partial(figure, language),
        "tongue": language.tongue,
        "translated": translator(language) if language.code != SOURCE else lambda text: text,
        "filled": fill_places,
        "places": mark_places,
        "way": direction,
        "short": lambda digest: str(digest).rpartition(":")[2][:12],
    }
    return environment


def _one(language: Language, message: str, /, **values: object) -> Markup:
    return _fill(language.gettext(message), values)


def _many(language: Language, one: str, many: str, number: int, /, **values: object) -> Markup:
    return _fill(language.ngettext(one, many, number), values)


def _fill(message: str, values: Mapping[str, object]) -> Markup:
    """Put values into a sentence: the sentence is ours and may hold markup, text among the values is made harmless."""
    shown = {name: clean(value) if type(value) in {str, Location} else value for name, value in values.items()}
    return Markup(message) % shown  # noqa: S704 -- from templates and catalogues that come with the program


def _stamp(moment: datetime) -> str:
    """Write month and year as assay offices strike them: ``XI 26``."""
    return f"{MONTHS[moment.month - 1]} {moment:%y}"


def _time(moment: datetime, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), shown)
