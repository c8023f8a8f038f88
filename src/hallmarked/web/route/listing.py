"""Lists of repositories: all, searched, filtered, sorted; by pages."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.catalog.search import Query, list_values, search
from hallmarked.hub.catalog.tag import GROUPS, name_in_tags
from hallmarked.hub.repository.repository import find_heads, load_repositories
from hallmarked.web.address import flag, limit_of
from hallmarked.web.description import LISTED, View, check_fields, write_fields
from hallmarked.web.link import page_response
from hallmarked.web.request import actor_of, hub_of

PAGE, MOST, MOST_FULL = 100, 1_000, 100
"""Repositories of a page: usually, at most, and at most when their files are listed too."""
COSTLY = {"siblings", "config", "safetensors", "usedStorage", "cardData", "model-index", "widgetData"}
"""Fields that need more than the index, or can be long."""
SORTS = {
    "": "modified",
    "lastModified": "modified",
    "last_modified": "modified",
    "modified": "modified",
    "createdAt": "created",
    "created_at": "created",
    "downloads": "downloads",
    "likes": "likes",
    "likes7d": "likes",
    "trendingScore": "trending",
    "trending_score": "trending",
    "trending": "trending",
}
"""What clients call the orders."""
# Query parameter, and the group of labels it filters by; a group that nothing is ever found by finds nothing.
_FILTERS = {
    "author": "author",
    "pipeline_tag": "task",
    "library": "library",
    "license": "licence",
    "language": "language",
    "datasets": "dataset",
    "models": "model",
    "finding": "finding",
    "claim": "claim",
    "apps": "app",
    "inference": "inference",
    "inference_provider": "inference",
}


def browse(request: Request) -> Response:
    """List repositories of one kind."""
    kind = request.path_params["kind"]
    fields = _fields(request, kind)
    costly = not COSTLY.isdisjoint(fields)
    query = _query(request, kind, limit_of(request, MOST_FULL if costly else PAGE, MOST_FULL if costly else MOST))
    hub = hub_of(request)
    with hub.database.read() as db:
        found = search(db, actor_of(request, db), query)
        heads = find_heads(db, found.ids)
        repos = [repo for repo in load_repositories(db, found.ids) if repo.id in heads]
        items = [write_fields(View(db, hub, repo, *heads[repo.id]), fields) for repo in repos]
    return page_response(request, items, **({"cursor": found.following} if found.following else {}))


def _fields(request: Request, kind: str) -> list[str]:
    query = request.query_params
    expand = [name for text in (*query.getlist("expand"), *query.getlist("expand[]")) for name in text.split(",")]
    if expand:
        return list(check_fields(kind, expand))
    fields = list(LISTED[kind])
    if flag(request, "full"):
        fields += ["author", "disabled", "siblings", *(("cardData",) if kind != "model" else ())]
    if flag(request, "linked") and kind == "system":
        fields += ["models", "datasets"]
    if flag(request, "cardData"):
        fields.append("cardData")
    if flag(request, "config"):
        fields.append("config")
    return fields


def _query(request: Request, kind: str, count: int) -> Query:
    query = request.query_params
    sort = SORTS.get(query.get("sort", ""))
    if sort is None:
        raise InputError(f"repositories are sorted by {', '.join(name for name in SORTS if name)}")
    if "num_parameters" in query:
        raise InputError("this hub does not filter by the number of parameters")
    labels = [("tag", value) for text in query.getlist("filter") for value in text.split(",") if value.strip()]
    for name, group in _FILTERS.items():
        labels += [(group, value) for value in query.getlist(name) if value.strip()]
    if (gated := query.get("gated", "").lower()) in ("true", "1", "false", "0"):
        labels.append(("gate", "yes" if gated in ("true", "1") else "no"))
    elif gated:
        labels.append(("gate", gated))
    text = " ".join(query.getlist("search"))
    return Query(kind, text[:2_000], tuple(labels), sort, query.get("cursor", ""), count)


def tags_by_type(request: Request) -> Response:
    """List what repositories of one kind can be filtered by."""
    kind = request.path_params["kind"]
    body: dict[str, Any] = {}
    with hub_of(request).database.read() as db:
        for group in GROUPS:
            known = name_in_tags(kind, group)
            if known is not None:
                field, prefix = known
                body[field] = [
                    {"id": f"{prefix}{value}", "label": value, "type": field, "count": count}
                    for value, count in list_values(db, kind, group)
                ]
    return JSONResponse(body)


def find_systems(request: Request) -> Response:
    """Find systems by the words of their names; what clients call a semantic search."""
    query = request.query_params
    sdks = [("library", value) for value in query.getlist("sdk") if value.strip()]
    tags = [("tag", value) for value in query.getlist("filter") if value.strip()]
    wanted = Query("system", query.get("q", "")[:2_000], (*sdks, *tags), "trending", "", PAGE)
    hub = hub_of(request)
    with hub.database.read() as db:
        found = search(db, actor_of(request, db), wanted)
        heads = find_heads(db, found.ids)
        views = [View(db, hub, repo, *heads[repo.id]) for repo in load_repositories(db, found.ids) if repo.id in heads]
        items = [
            {"title": view.text("title") or view.repo.name, "emoji": view.text("emoji")}
            | write_fields(view, (*LISTED["system"], "author", "runtime"))
            for view in views
        ]
    return JSONResponse(items)


ROUTES = [
    Route("/api/spaces/semantic-search", find_systems),
    Route("/api/{kind:kind}", browse),
    Route("/api/{kind:kind}-tags-by-type", tags_by_type),
]
