"""A small endpoint that speaks the Hub protocol over real HTTP, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
LARGE = 10 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not the usual one."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Endpoint:
    """What is served, and what was asked."""

    files: dict[str, bytes | Path]
    repo: str = "acme/tiny"
    kind: str = "model"
    token: str | None = None
    page: int = 1000
    commit: str = COMMIT
    cdn: str = ""
    """Another origin that files are redirected to."""
    ranges: bool = True
    large: int = LARGE
    """Bytes from which a file is kept by its SHA-256."""
    swap: dict[str, bytes] = field(default_factory=dict)
    """Files whose bytes are others than the listing says."""
    odd: Callable[[str, dict[str, str]], Reply | None] = lambda _path, _headers: None
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    """Bytes of files that were sent."""

    @property
    def prefix(self) -> str:
        return "" if self.kind == "model" else f"/{self.kind}s"

    def entry(self, path: str) -> dict[str, object]:
        content = self.files[path]
        if isinstance(content, Path):
            with content.open("rb") as stream:
                sha256, size = hashlib.file_digest(stream, "sha256").hexdigest(), content.stat().st_size
        else:
            sha256, size = hashlib.sha256(content).hexdigest(), len(content)
        if isinstance(content, Path) or size >= self.large:
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
            large = {"oid": sha256, "size": size, "pointerSize": len(pointer)}
            return {"type": "file", "path": path, "oid": blob(pointer), "size": size, "lfs": large, "xetHash": "0" * 64}
        return {"type": "file", "path": path, "oid": blob(content), "size": size}

    def answer(self, target: str, headers: dict[str, str]) -> Reply:
        parts = urlsplit(target)
        path, query = unquote(parts.path), parse_qs(parts.query)
        odd = self.odd(path, headers)
        if odd is not None:
            return odd
        api = f"/api/{self.kind}s/{self.repo}"
        if self.token and path.startswith("/cdn") and "authorization" in headers:
            return told(400, "no token is wanted here")
        if self.token and not path.startswith("/cdn") and headers.get("authorization") != f"Bearer {self.token}":
            if "authorization" in headers or path == "/api/whoami-v2":
                return told(401, "Invalid credentials in Authorization header")
            return told(401, "Repository not found", "RepoNotFound")
        if path == "/api/whoami-v2":
            return told(200, name="me")
        if path == f"{api}/refs":
            branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": self.commit}
            return told(200, branches=[branch], tags=[], converts=[])
        found = re.fullmatch(rf"{re.escape(api)}/(revision|tree)/([^?]+)", path)
        resolved = re.fullmatch(
            rf"{re.escape(self.prefix)}/{re.escape(self.repo)}/resolve/([^/]+|refs/pr/1)/(.+)", path
        )
        if path.startswith("/cdn/"):
            return self.content(path.removeprefix("/cdn/"), headers)
        if found is None and resolved is None:
            return told(404, "Repository not found", "RepoNotFound")
        revision = (found[2] if found else resolved[1]) if found or resolved else ""
        if revision not in ("main", "refs/pr/1", self.commit):
            return told(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if resolved:
            if resolved[2] not in self.files:
                return told(404, "Entry not found", "EntryNotFound")
            if self.cdn:
                return Reply(302, headers={"Location": f"{self.cdn}/cdn/{resolved[2]}", "X-Repo-Commit": self.commit})
            return self.content(resolved[2], headers)
        assert found is not None
        if found[1] == "revision":
            return told(200, id=self.repo, sha=self.commit, private=False, gated=False)
        start = int(query.get("cursor", ["0"])[0])
        names = sorted(self.files)
        body = json.dumps([self.entry(name) for name in names[start : start + self.page]]).encode()
        further = f"{self.url}{parts.path}?recursive=true&cursor={start + self.page}"
        return Reply(200, body, {"Link": f'<{further}>; rel="next"'} if start + self.page < len(names) else {})

    def content(self, path: str, headers: dict[str, str]) -> Reply:
        content = self.swap.get(path, self.files[path])
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", ""))
        start, end = (int(asked[1]), min(int(asked[2]) + 1, size)) if asked and self.ranges else (0, size)
        if isinstance(content, Path):
            with content.open("rb") as stream:
                stream.seek(start)
                data = stream.read(end - start)
        else:
            data = content[start:end]
        self.sent += len(data)
        if asked and self.ranges:
            return Reply(206, data, {"Content-Range": f"bytes {start}-{end - 1}/{size}"})
        return Reply(200, data)


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def told(status: int, error: str = "", code: str = "", **body: object) -> Reply:
    headers = {"X-Error-Code": code} if code else {}
    if error:
        headers["X-Error-Message"] = error
    return Reply(status, json.dumps({"error": error} if error else body).encode(), headers)


@contextmanager
def served(endpoint: Endpoint) -> Iterator[Endpoint]:
    """Serve on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            endpoint.asked.append((self.path, headers))
            reply = endpoint.answer(self.path, headers)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(reply.body)
            except OSError:
                self.close_connection = True  # the other side had enough

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return  # the other side went away

    listening = Server(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield endpoint
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
