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
ADMINISTRATOR = "administrator"
"""Only for who manages the hub: others get 401 or 403."""
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
    fails: int = 0
    """How a route answers that is there to say that it does not do what it is asked for."""
    open_when: frozenset[str] = frozenset()
    """States in which the route has nothing to protect."""


OWNER = frozenset({"owner"})
NOBODY_SURELY = frozenset({"-"})
"""For routes that need more than the example gives."""
_API = "/api/models/ada/{name}"
_REVIEW = "/api/hallmarked/models/ada/{name}/review/main"
_COMMIT = '{{"key":"header","value":{{"summary":"t"}}}}\n{{"key":"file","value":{{"path":"n","content":"bg=="}}}}\n'
_NOTHING: Mapping[str, Any] = {}

ROUTES: dict[str, Use] = {
    # what everybody may know
    "GET /openapi.json": Use(OPEN),
    "GET /static/{name}": Use(OPEN),
    "POST /settings/language": Use(OPEN),
    "POST /api/validate-yaml": Use(OPEN),
    "GET /ledger/checkpoint": Use(OPEN),
    "GET /ledger/tile/{path:path}": Use(OPEN),
    "GET /ledger/key": Use(OPEN),
    "GET /ledger/trust.json": Use(OPEN),
    "GET /ledger/entries/{index}": Use(OPEN),
    "GET /api/{kind:kind}": Use(OPEN, "/api/models"),
    "GET /api/spaces/semantic-search": Use(OPEN, "/api/spaces/semantic-search?q=x"),
    "GET /api/{kind:kind}-tags-by-type": Use(OPEN, "/api/models-tags-by-type"),
    "GET /api/hallmarked/terms": Use(OPEN),
    "GET /api/hallmarked/jobs": Use(OPEN),
    "GET /health/live": Use(OPEN),
    "GET /health/ready": Use(OPEN),
    "GET /metrics": Use(OPEN),  # for this machine, or with a token of its own; names nothing, see test_health
    "GET /api/hallmarked/moderation": Use(OPEN),
    "GET /api/hallmarked/moderation/report": Use(OPEN),
    "GET /api/hallmarked/organisations/{organisation}": Use(OPEN),
    "GET /api/hallmarked/invitations/{ticket}": Use(OPEN),
    **{
        f"GET /api/{path}": Use(OPEN, f"/api/{path}".replace("{owner}", "ada"))
        for path in (
            "organizations/{owner}/followers",
            "organizations/{owner}/members",
            "organizations/{owner}/overview",
            "users/{owner}/followers",
            "users/{owner}/following",
            "users/{owner}/likes",
            "users/{owner}/overview",
        )
    },
    **{
        f"GET {path}": Use(OPEN, path.replace("{index}", "0").replace("{owner}", "ada"))
        for pattern in (
            "/datasets*",
            "/models*",
            "/spaces*",
            "/search*",
            "/search/passages*",
            "/ledger*",
            "/ledger/entry*/{index}",
            "/join*",
            "/likes*/{owner}",
            "/login*",
            "/login/new*",
            "/moderation*",
            "/status*",
            "/help*",
            "/consent*",
            "/consent/data*",
            "/consent/request*",
            "/tos*",
            "/welcome*",
            "/{owner}*",
        )
        for path in (pattern.replace("*", ""), pattern.replace("*", ".json"))
    },
    "GET /": Use(OPEN),
    "GET /index.json": Use(OPEN),
    # asks nothing of what the caller may not read: see test_passage
    "POST /search/passages": Use(OPEN),
    "POST /api/hallmarked/passages": Use(OPEN),
    # coming in
    **{f"POST {path}": Use(OPEN) for path in ("/join", "/login", "/login/new", "/logout", "/tos", "/welcome")},
    **{f"POST /consent{path}": Use(OPEN) for path in ("", "/data", "/request", "/receipt")},
    **{
        f"POST /api/hallmarked/consent/{path}": Use(OPEN)
        for path in ("requests", "requests/state", "requests/proof", "requests/withdrawal", "requests/rows", "lookup")
    },
    "GET /api/hallmarked/consent/evidence/{commitment}": Use(OPEN, "/api/hallmarked/consent/evidence/" + "0" * 64),
    "GET /api/hallmarked/consent/lookup": Use(OPEN),
    "GET /api/hallmarked/consent/lookup/{epoch}/{bits}/{bucket}": Use(OPEN, "/api/hallmarked/consent/lookup/x/0/0"),
    "GET /consent/due": Use(ADMINISTRATOR),
    "GET /consent/due.json": Use(ADMINISTRATOR),
    "GET /settings": Use(PERSON),
    "GET /settings.json": Use(PERSON),
    **{
        f"POST /settings/{path}": Use(PERSON, form={"name": "x"})
        for path in ("messages", "organisations", "password", "sessions/end", "tokens", "tokens/revoke")
    },
    **{
        key: Use(PERSON, form={"act": "x"} if key.startswith("POST") else None)
        for path in ("/settings/deleted*", "/settings/webhooks*", "/settings/webhooks*/{id}", "/organizations*/{owner}")
        for key in (
            f"GET {path}".replace("*", ""),
            f"GET {path}".replace("*", ".json"),
            f"POST {path}".replace("*", ""),
        )
        if key != "POST /organizations/{owner}"
    },
    **{
        f"POST /organizations/{{owner}}/{path}": Use(PERSON, form={"act": "x"})
        for path in ("invitations", "members", "settings")
    },
    "GET /login/elsewhere": Use(OPEN),
    "GET /login/back": Use(OPEN),
    "POST /api/hallmarked/setup": Use(OPEN),
    "POST /api/hallmarked/register": Use(OPEN),
    "POST /api/hallmarked/session": Use(OPEN),
    "DELETE /api/hallmarked/session": Use(OPEN),
    # accounts
    **{
        f"{method} /api/hallmarked/{path}": Use(PERSON, json=body)
        for method, path, body in (
            ("GET", "me", None),
            ("PATCH", "me", _NOTHING),
            ("DELETE", "me", {"name": "ada", "password": "p"}),
            ("PUT", "password", {"old": "a", "new": "b"}),
            ("GET", "sessions", None),
            ("DELETE", "sessions/{session_id}", None),
            ("GET", "tokens", None),
            ("POST", "tokens", {"name": "t"}),
            ("DELETE", "tokens/{token_id}", None),
            ("GET", "notices", None),
            ("POST", "notices/read", None),
            ("GET", "access-requests", None),
            ("POST", "terms", {"version": "1"}),
            ("POST", "organisations", {"name": "t"}),
            ("PATCH", "organisations/{organisation}", _NOTHING),
            ("GET", "organisations/{organisation}/members", None),
            ("PUT", "organisations/{organisation}/members/{member}", {"role": "reader"}),
            ("DELETE", "organisations/{organisation}/members/{member}", None),
            ("POST", "organisations/{organisation}/invitations", {"role": "reader"}),
            ("GET", "organisations/{organisation}/invitations", None),
            ("DELETE", "organisations/{organisation}/invitations/{invitation}", None),
            ("GET", "deleted", None),
            ("POST", "deleted/{repository_id}/restore", None),
            ("POST", "invitations/{ticket}", None),
        )
    },
    **{
        f"{method} /api/hallmarked/accounts{path}": Use(ADMINISTRATOR, json=body)
        for method, path, body in (
            ("GET", "", None),
            ("PUT", "/{name}/disabled", {"on": True}),
            ("PUT", "/{name}/administrator", {"on": True}),
            ("DELETE", "/{name}", None),
        )
    },
    **{
        f"{method} /api/hallmarked/repositories/{{kind}}/{{owner}}/{{name}}/people{path}": Use(
            "manage",
            f"/api/hallmarked/repositories/models/ada/{{name}}/people{path.format(person='reader')}",
            json=body,
        )
        for method, path, body in (
            ("GET", "", None),
            ("PUT", "/{person}", {"role": "writer"}),
            ("DELETE", "/{person}", None),
        )
    },
    "GET /api/settings/repositories": Use(PERSON),
    "GET /api/organizations/{owner}/settings/repositories": Use(PERSON),
    "GET /api/whoami-v2": Use(PERSON),
    "POST /api/repos/create": Use(PERSON, json={"name": "new"}),
    "GET /api/settings/webhooks": Use(PERSON),
    "POST /api/settings/webhooks": Use(PERSON, json={"url": "https://hooks.example/", "watched": []}),
    "GET /api/settings/webhooks/{id}": Use(PERSON, "/api/settings/webhooks/0"),
    "POST /api/settings/webhooks/{id}": Use(PERSON, "/api/settings/webhooks/0", json={"watched": []}),
    "DELETE /api/settings/webhooks/{id}": Use(PERSON, "/api/settings/webhooks/0"),
    "POST /api/settings/webhooks/{id}/enable": Use(PERSON, "/api/settings/webhooks/0/enable"),
    "POST /api/settings/webhooks/{id}/disable": Use(PERSON, "/api/settings/webhooks/0/disable"),
    # repositories
    "GET /api/{kind:kind}/{owner}/{name}": Use("see", _API),
    "GET /api/{kind:kind}/{owner}/{name}/revision/{revision}": Use("see", f"{_API}/revision/main"),
    "GET /api/{kind:kind}/{owner}/{name}/runtime": Use("see", f"{_API}/runtime"),
    "GET /api/{kind:kind}/{owner}/{name}/auth-check": Use("read", f"{_API}/auth-check", open_when=frozenset({"held"})),
    "GET /api/{kind:kind}/{owner}/{name}/auth-check/write": Use("write", f"{_API}/auth-check/write"),
    "PUT /api/{kind:kind}/{owner}/{name}/settings": Use("manage", f"{_API}/settings", json={"visibility": "private"}),
    "DELETE /api/repos/delete": Use("manage", json={"name": "ada/{name}"}),
    "POST /api/repos/move": Use(
        "manage", json={"fromRepo": "ada/{name}", "toRepo": "ada/elsewhere"}, only=frozenset({"owner", "administrator"})
    ),
    "POST /api/{kind:kind}/{owner}/{name}/duplicate": Use(
        "copy", f"{_API}/duplicate", json={"repository": "ada/copy"}, only=OWNER
    ),
    "POST /api/{kind:kind}/{owner}/{name}/like": Use("discuss", f"{_API}/like"),
    "DELETE /api/{kind:kind}/{owner}/{name}/like": Use("discuss", f"{_API}/like"),
    "GET /api/{kind:kind}/{owner}/{name}/likers": Use("see", f"{_API}/likers"),
    # reviews
    "GET /api/hallmarked/{kind:kind}/{owner}/{name}/review/{revision}": Use("see", _REVIEW),
    **{
        f"POST /api/hallmarked/{{kind:kind}}/{{owner}}/{{name}}/review/{{revision}}/{word}": Use(
            needs, f"{_REVIEW}/{word}", json={"reason": "a reason that says enough"}, only=NOBODY_SURELY
        )
        for word, needs in (
            ("hold", "review"),
            ("propose-release", "review"),
            ("release", "review"),
            ("uphold", "review"),
            ("audit", "review"),
            ("appeal", "write"),
        )
    },
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
        "discuss",
        "/ada/{name}.git/info/lfs/objects/batch",
        json={"operation": "upload", "objects": [{"oid": "0" * 64, "size": 5}]},
    ),
    **{
        f"{method} /api/lfs/{word}/{{oid}}": Use(OTHER_TOKEN, f"/api/lfs/{word}/" + "0" * 64)
        for method, word in (("PUT", "upload"), ("PUT", "part"), ("POST", "complete"), ("GET", "download"))
    },
    "POST /{owner}/{name}.git/info/lfs/objects/verify": Use(
        "discuss", "/ada/{name}.git/info/lfs/objects/verify", json={"oid": "{sha256}", "size": 1}, only=NOBODY_SURELY
    ),
    "GET /{owner}/{name}.git/info/lfs/locks": Use("see", "/ada/{name}.git/info/lfs/locks"),
    "POST /{owner}/{name}.git/info/lfs/locks": Use("write", "/ada/{name}.git/info/lfs/locks", json=_NOTHING, fails=501),
    "POST /{owner}/{name}.git/info/lfs/locks/verify": Use(
        "write", "/ada/{name}.git/info/lfs/locks/verify", json=_NOTHING
    ),
    "GET /api/{kind:kind}/{owner}/{name}/lfs-files": Use("write", f"{_API}/lfs-files"),
    "POST /api/{kind:kind}/{owner}/{name}/lfs-files/batch": Use(
        "manage",
        f"{_API}/lfs-files/batch",
        json={"deletions": {"sha": ["{sha256}"], "rewriteHistory": True}},
        only=OWNER,
    ),
    "POST /api/{kind:kind}/{owner}/{name}/lfs-files/duplicate": Use(
        "write",
        f"{_API}/lfs-files/duplicate",
        json={"files": [{"sha256": "{sha256}"}], "target": {"type": "model", "name": "ada/{name}"}},
    ),
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
    "GET /api/{kind:kind}/{owner}/{name}/evidence": Use("see", f"{_API}/evidence"),
    "POST /api/{kind:kind}/{owner}/{name}/evidence": Use("attest", f"{_API}/evidence", content="{{}}"),
    "POST /api/{kind:kind}/{owner}/{name}/records": Use(
        "record", f"{_API}/records", json={"kind": "dispute", "record": {"about": "eval.recall", "reason": "r"}}
    ),
    "GET /api/{kind:kind}/{owner}/{name}/decision": Use("see", f"{_API}/decision"),
    "GET /api/{kind:kind}/{owner}/{name}/contexts": Use("see", f"{_API}/contexts"),
    "PUT /api/{kind:kind}/{owner}/{name}/contexts": Use("manage", f"{_API}/contexts", json={"contexts": ["base"]}),
    # asked of the whole hub's managers alone, whatever somebody is to the repository
    "POST /api/{kind:kind}/{owner}/{name}/evidence/{id}/remove": Use(
        "manage", f"{_API}/evidence/x/remove", json={"reason": "a reason that says enough"}, only=NOBODY_SURELY
    ),
    "GET /{owner}/{name}/evidence/{revision}.json": Use("see", "/ada/{name}/evidence/main.json", only=NOBODY_SURELY),
    **{
        f"GET {path}": Use("see", address)
        for pattern, example in (
            ("/{owner}/{name}*", "/ada/{name}*"),
            ("/{owner}/{name}/card*/{revision}", "/ada/{name}/card*/main"),
            ("/{owner}/{name}/claim*/{revision}", "/ada/{name}/claim*/main"),
            ("/{owner}/{name}/evaluated*/{revision}", "/ada/{name}/evaluated*/main"),
            ("/{owner}/{name}/contexts*", "/ada/{name}/contexts*"),
            ("/{owner}/{name}/uses*", "/ada/{name}/uses*"),
            ("/{owner}/{name}/uses*/{revision}", "/ada/{name}/uses*/main"),
            ("/{owner}/{name}/lineage*", "/ada/{name}/lineage*"),
            ("/{owner}/{name}/lineage*/{revision}", "/ada/{name}/lineage*/main"),
            ("/{owner}/{name}/governance*", "/ada/{name}/governance*"),
            ("/{owner}/{name}/governance*/{revision}", "/ada/{name}/governance*/main"),
            ("/{owner}/{name}/profiles*", "/ada/{name}/profiles*"),
            (
                "/{owner}/{name}/profiles*/{framework}/{edition}",
                "/ada/{name}/profiles*/nist-ai-600-1/final-2024-07",
            ),
            ("/{owner}/{name}/tree*/{revision}", "/ada/{name}/tree*/main"),
            ("/{owner}/{name}/tree*/{revision}/{path:path}", "/ada/{name}/tree*/main/sub"),
            ("/{owner}/{name}/blob*/{revision}/{path:path}", "/ada/{name}/blob*/main/secret.txt"),
            ("/{owner}/{name}/commits*/{revision}", "/ada/{name}/commits*/main"),
            ("/{owner}/{name}/commit*/{revision}", "/ada/{name}/commit*/{head}"),
            ("/{owner}/{name}/compare*/{spec}", "/ada/{name}/compare*/{base}..{head}"),
            ("/{owner}/{name}/evidence*/{revision}", "/ada/{name}/evidence*/main"),
            ("/{owner}/{name}/evidence*", "/ada/{name}/evidence*"),
            ("/{owner}/{name}/discussions*", "/ada/{name}/discussions*"),
            ("/{owner}/{name}/discussions*/{number}", "/ada/{name}/discussions*/1"),
            ("/{owner}/{name}/review*/{revision}", "/ada/{name}/review*/main"),
        )
        for path, address in ((pattern.replace("*", end), example.replace("*", end)) for end in ("", ".json"))
    },
    **{
        f"{method} /{{owner}}/{{name}}{path}": Use(
            needs,
            f"/ada/{{name}}{path}".format(name="{name}", number=1, revision="main", id="x"),
            form=form,
            only=NOBODY_SURELY,
        )
        for method, path, needs, form in (
            ("GET", "/access", "see", None),
            ("GET", "/access.json", "see", None),
            ("GET", "/record/{revision}", "record", None),
            ("GET", "/record.json/{revision}", "record", None),
            ("POST", "/record/{revision}", "record", {"kind": "dispute", "about": "eval.recall", "reason": "r"}),
            ("GET", "/filed/{id}", "see", None),
            ("GET", "/filed.json/{id}", "see", None),
            ("GET", "/bring", "attest", None),
            ("GET", "/bring.json", "attest", None),
            ("POST", "/bring", "attest", {"x": "y"}),
            ("POST", "/contexts", "manage", {"use-base": "judged"}),
            ("GET", "/passages", "see", None),
            ("GET", "/passages.json", "see", None),
            ("POST", "/passages", "manage", {"act": "allow"}),
            ("GET", "/settings", "manage", None),
            ("GET", "/settings.json", "manage", None),
            ("POST", "/access", "discuss", {"x": "y"}),
            ("POST", "/like", "discuss", {"act": "like"}),
            ("POST", "/access/decide", "review", {"user": "granted", "status": "rejected"}),
            ("POST", "/settings", "manage", {"visibility": "private"}),
            ("POST", "/discussions", "discuss", {"title": "t", "description": "d"}),
            ("POST", "/discussions/{number}", "discuss", {"comment": "c"}),
            ("POST", "/review/{revision}", "review", {"act": "hold", "reason": "a reason that says enough"}),
        )
    },
}
"""Method and path of the route, as Starlette writes it for models: how it is used."""
