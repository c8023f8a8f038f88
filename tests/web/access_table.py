"""Every route of the hub, and what somebody has to be allowed to use it.

A new route needs an entry here, or ``test_access_matrix.py`` fails. Addresses are those of models, with examples for
their parameters; ``{name}`` is the repository's name, ``{head}`` its newest commit, ``{sha256}`` the digest of its
large file, ``{other}`` the id of a comment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPEN = "open"
"""Says nothing of any repository, or asks for an account only when it does something: tested elsewhere."""
PERSON = "person"
"""Only for somebody who signed in: nobody gets 401."""
OTHER_TOKEN = "other-token"
"""Takes tokens of its own kind, which say what they are for: nobody gets 401, 403 or 404."""


@dataclass(frozen=True)
class Use:
    """How a route is used."""

    needs: str
    """An action of ``hub.access``, or one of the words above."""
    address: str = ""
    """Example of its address; the route's own without."""
    json: Mapping[str, Any] | None = None
    content: str | None = None
    form: Mapping[str, str] | None = None
    only: frozenset[str] = frozenset()
    """Who certainly succeeds, where the action alone is not enough; everybody who may without."""
    open_when: frozenset[str] = frozenset()
    """States in which the route has nothing to protect."""


OWNER = frozenset({"owner"})
_API = "/api/models/ada/{name}"
_COMMIT = '{{"key":"header","value":{{"summary":"t"}}}}\n{{"key":"file","value":{{"path":"n","content":"bg=="}}}}\n'
_NOTHING: Mapping[str, Any] = {}

ROUTES: dict[str, Use] = {
    # what everybody may know
    "GET /openapi.json": Use(OPEN),
    "GET /static/{name}": Use(OPEN),
    "POST /language": Use(OPEN),
    "POST /api/validate-yaml": Use(OPEN),
    "GET /ledger/checkpoint": Use(OPEN),
    "GET /ledger/tile/{path:path}": Use(OPEN),
    "GET /ledger/key": Use(OPEN),
    "GET /ledger/trust.json": Use(OPEN),
    "GET /ledger/entries/{index:int}": Use(OPEN),
    # accounts
    "GET /api/whoami-v2": Use(PERSON),
    "POST /api/repos/create": Use(PERSON, json={"name": "new"}),
    # repositories
    "GET /api/{kind:kind}/{owner}/{name}": Use("see", _API),
    "GET /api/{kind:kind}/{owner}/{name}/revision/{revision}": Use("see", f"{_API}/revision/main"),
    "GET /api/{kind:kind}/{owner}/{name}/auth-check": Use("read", f"{_API}/auth-check", open_when=frozenset({"held"})),
    "GET /api/{kind:kind}/{owner}/{name}/auth-check/write": Use("write", f"{_API}/auth-check/write"),
    "PUT /api/{kind:kind}/{owner}/{name}/settings": Use("manage", f"{_API}/settings", json={"visibility": "private"}),
    "DELETE /api/repos/delete": Use("manage", json={"name": "ada/{name}"}),
    "POST /api/repos/move": Use(
        "manage", json={"fromRepo": "ada/{name}", "toRepo": "ada/elsewhere"}, only=frozenset({"owner", "administrator"})
    ),
    # files
    "GET /api/{kind:kind}/{owner}/{name}/tree/{revision}": Use("see", f"{_API}/tree/main"),
    "GET /api/{kind:kind}/{owner}/{name}/tree/{revision}/{path:path}": Use("see", f"{_API}/tree/main/sub"),
    "POST /api/{kind:kind}/{owner}/{name}/paths-info/{revision}": Use(
        "see", f"{_API}/paths-info/main", json={"paths": ["secret.txt"]}
    ),
    "GET /{owner}/{name}/resolve/{revision}/{path:path}": Use("read", "/ada/{name}/resolve/main/secret.txt"),
    "POST /api/{kind:kind}/{owner}/{name}/preupload/{revision}": Use(
        "write", f"{_API}/preupload/main", json={"files": [{"path": "n", "size": 1, "sample": ""}]}
    ),
    "POST /api/{kind:kind}/{owner}/{name}/commit/{revision}": Use("write", f"{_API}/commit/main", content=_COMMIT),
    "POST /{owner}/{name}.git/info/lfs/objects/batch": Use(
        "write",
        "/ada/{name}.git/info/lfs/objects/batch",
        json={"operation": "upload", "objects": [{"oid": "0" * 64, "size": 5}]},
    ),
    "POST /{owner}/{name}.git/info/lfs/objects/verify": Use(
        "write", "/ada/{name}.git/info/lfs/objects/verify", json={"oid": "{sha256}", "size": 7}
    ),
    "GET /{owner}/{name}.git/info/lfs/locks": Use("see", "/ada/{name}.git/info/lfs/locks"),
    "POST /{owner}/{name}.git/info/lfs/locks": Use("write", "/ada/{name}.git/info/lfs/locks", json=_NOTHING),
    "POST /{owner}/{name}.git/info/lfs/locks/verify": Use(
        "write", "/ada/{name}.git/info/lfs/locks/verify", json=_NOTHING
    ),
    "PUT /api/lfs/upload/{oid}": Use(OTHER_TOKEN, "/api/lfs/upload/" + "0" * 64),
    "PUT /api/lfs/part/{oid}": Use(OTHER_TOKEN, "/api/lfs/part/" + "0" * 64),
    "POST /api/lfs/complete/{oid}": Use(OTHER_TOKEN, "/api/lfs/complete/" + "0" * 64),
    "GET /api/lfs/download/{oid}": Use(OTHER_TOKEN, "/api/lfs/download/" + "0" * 64),
    "GET /api/{kind:kind}/{owner}/{name}/xet-write-token/{revision}": Use("write", f"{_API}/xet-write-token/main"),
    "POST /xet/v1/xorbs/{prefix}/{hash}": Use(OTHER_TOKEN, "/xet/v1/xorbs/default/" + "0" * 64),
    "POST /xet/v1/shards": Use(OTHER_TOKEN),
    "POST /xet/v2/shards": Use(OTHER_TOKEN),
    "GET /xet/v1/chunks/{prefix}/{hash}": Use(OTHER_TOKEN, "/xet/v1/chunks/default/" + "0" * 64),
    "POST /xet/v1/xorb-grants/{prefix}/{hash}": Use(OTHER_TOKEN, "/xet/v1/xorb-grants/default/" + "0" * 64),
    "POST /v1/telemetry": Use(OPEN),
    # branches, tags, history
    "GET /api/{kind:kind}/{owner}/{name}/refs": Use("see", f"{_API}/refs"),
    "POST /api/{kind:kind}/{owner}/{name}/branch/{branch:path}": Use("write", f"{_API}/branch/new", json=_NOTHING),
    "DELETE /api/{kind:kind}/{owner}/{name}/branch/{branch:path}": Use("write", f"{_API}/branch/dev"),
    "POST /api/{kind:kind}/{owner}/{name}/tag/{revision:path}": Use("write", f"{_API}/tag/main", json={"tag": "v2"}),
    "DELETE /api/{kind:kind}/{owner}/{name}/tag/{revision:path}": Use("write", f"{_API}/tag/v1"),
    "GET /api/{kind:kind}/{owner}/{name}/commits/{revision:path}": Use("see", f"{_API}/commits/main"),
    "POST /api/{kind:kind}/{owner}/{name}/super-squash/{branch:path}": Use(
        "write", f"{_API}/super-squash/main", json=_NOTHING
    ),
    # git
    **{
        f"{method} /{{owner}}/{{name}}{suffix}{path}": Use(
            needs, f"/ada/{{name}}{suffix}{path}{query}", content=content
        )
        for suffix in (".git", "")
        for method, path, query, needs, content in (
            ("GET", "/info/refs", "?service=git-upload-pack", "git-read", None),
            ("POST", "/git-upload-pack", "", "git-read", "0032want {head}\n00000009done\n"),
            ("POST", "/git-receive-pack", "", "never", ""),
        )
    },
    # discussions
    "GET /api/{kind:kind}/{owner}/{name}/discussions": Use("see", f"{_API}/discussions"),
    "POST /api/{kind:kind}/{owner}/{name}/discussions": Use(
        "discuss", f"{_API}/discussions", json={"title": "t", "description": "d"}
    ),
    "GET /api/{kind:kind}/{owner}/{name}/discussions/{number}": Use("see", f"{_API}/discussions/1?diff=1"),
    "POST /api/{kind:kind}/{owner}/{name}/discussions/{number}/comment": Use(
        "discuss", f"{_API}/discussions/1/comment", json={"comment": "c"}
    ),
    "POST /api/{kind:kind}/{owner}/{name}/discussions/{number}/comment/{event}/edit": Use(
        "discuss", f"{_API}/discussions/1/comment/{{other}}/edit", json={"content": "c"}, only=OWNER
    ),
    "POST /api/{kind:kind}/{owner}/{name}/discussions/{number}/comment/{event}/hide": Use(
        "discuss", f"{_API}/discussions/1/comment/{{other}}/hide", json=_NOTHING, only=OWNER
    ),
    "POST /api/{kind:kind}/{owner}/{name}/discussions/{number}/title": Use(
        "discuss", f"{_API}/discussions/1/title", json={"title": "other"}, only=OWNER
    ),
    "POST /api/{kind:kind}/{owner}/{name}/discussions/{number}/status": Use(
        "discuss", f"{_API}/discussions/1/status", json={"status": "closed"}, only=OWNER
    ),
    "POST /api/{kind:kind}/{owner}/{name}/discussions/{number}/merge": Use(
        "write", f"{_API}/discussions/1/merge", json=_NOTHING
    ),
    # gates
    "GET /api/{kind:kind}/{owner}/{name}/user-access-request/{status}": Use(
        "review", f"{_API}/user-access-request/accepted"
    ),
    "POST /api/{kind:kind}/{owner}/{name}/user-access-request/handle": Use(
        "review", f"{_API}/user-access-request/handle", json={"user": "granted", "status": "rejected"}
    ),
    "POST /api/{kind:kind}/{owner}/{name}/user-access-request/grant": Use(
        "review", f"{_API}/user-access-request/grant", json={"user": "stranger"}
    ),
    "POST /{owner}/{name}/ask-access": Use("discuss", "/ada/{name}/ask-access", json=_NOTHING),
    "POST /{owner}/{name}/withdraw-access": Use(
        "discuss", "/ada/{name}/withdraw-access", json=_NOTHING, only=frozenset({"granted"})
    ),
    "GET /{owner}/{name}/user-access-report": Use("review", "/ada/{name}/user-access-report"),
    # evidence and pages
    "GET /{owner}/{name}/evidence/{revision}.json": Use("see", "/ada/{name}/evidence/main.json", only=frozenset({"-"})),
    **{
        f"GET {path}": Use("see", address)
        for pattern, example in (
            ("/{owner}/{name}*", "/ada/{name}*"),
            ("/{owner}/{name}/card/{revision}*", "/ada/{name}/card/main*"),
            ("/{owner}/{name}/tree/{revision}*", "/ada/{name}/tree/main*"),
            ("/{owner}/{name}/tree*/{revision}/{path:path}", "/ada/{name}/tree*/main/sub"),
            ("/{owner}/{name}/blob*/{revision}/{path:path}", "/ada/{name}/blob*/main/secret.txt"),
            ("/{owner}/{name}/commits/{revision}*", "/ada/{name}/commits/main*"),
            ("/{owner}/{name}/commit/{revision}*", "/ada/{name}/commit/{head}*"),
            ("/{owner}/{name}/compare/{spec}*", "/ada/{name}/compare/{base}..{head}*"),
            ("/{owner}/{name}/evidence*", "/ada/{name}/evidence*"),
        )
        for path, address in ((pattern.replace("*", end), example.replace("*", end)) for end in ("", ".json"))
    },
    "GET /{owner}/{name}/evidence/{revision}": Use("see", "/ada/{name}/evidence/main"),
}
"""Method and path of the route, as Starlette writes it for models: how it is used."""
