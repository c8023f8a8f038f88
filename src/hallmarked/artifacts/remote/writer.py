"""Write to a hub through its API: make a repository, send large files by LFS, commit, bring evidence.

Sources: https://huggingface.co/docs/hub/api, https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import httpx

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.answer import Refusal, explain
from hallmarked.artifacts.remote.token import Login
from hallmarked.core.errors import BackendError, Forbidden, InputError
from hallmarked.core.text import clean

CHUNK = 1 << 20
MOST_ANSWER = 1 << 20
SECONDS = 300.0
"""A hub may take its time to store what was sent."""


class HubWriter:
    """Writes to one repository of a hub.

    Args:
        login: Where, and as whom.
        address: The repository; it need not be there yet.
    """

    def __init__(self, login: Login, address: Address) -> None:
        self.login, self.address = login, address
        self._http = httpx.Client(timeout=SECONDS, follow_redirects=False, headers={"User-Agent": "hallmarked"})

    def __enter__(self) -> HubWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def create(self, *, private: bool) -> None:
        """Make the repository, unless it is there.

        Raises:
            Forbidden: When we may not.
            BackendError: When the hub does not do it.
        """
        owner, _, name = self.address.repo.partition("/")
        body = {
            "name": name,
            "organization": owner,
            "private": private,
            "visibility": "private" if private else "public",
        }
        if self.address.kind != "model":
            body |= {"type": self.address.kind} | ({"sdk": "static"} if self.address.kind == "space" else {})
        self._ask("POST", "/api/repos/create", accept=(200, 201, 409), json=body)

    def send(self, sha256: str, size: int, stream: io.BufferedIOBase) -> bool:
        """Send a large file, unless the hub has it and we may use it; return whether it was sent.

        Raises:
            Forbidden: When we may not write there.
            BackendError: When the hub does not take it.
        """
        if not size:
            return False
        action = self.offer(sha256, size)
        if action is None:
            return False
        upload, verify = action.get("upload"), action.get("verify")
        self._put(upload, stream, size)
        if isinstance(verify, dict) and isinstance(verify.get("href"), str):
            self._ask("POST", verify["href"], json={"oid": sha256, "size": size})
        return True

    def offer(self, sha256: str, size: int) -> dict[str, Any] | None:
        """Ask where a large file is to be sent; None when the hub has it.

        Raises:
            Forbidden: When we may not write there.
            BackendError: When the hub does not take it.
        """
        wanted = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": sha256, "size": size}]}
        told = self._ask(
            "POST", f"{self.address.page}.git/info/lfs/objects/batch", json={**wanted, "hash_algo": "sha256"}
        )
        rows = told.get("objects")
        row = rows[0] if isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict) else {}
        if isinstance(row.get("error"), dict):
            raise BackendError(f"{self.login.endpoint} does not take a file: {str(row['error'].get('message'))[:200]}")
        actions = row.get("actions")
        return actions if isinstance(actions, dict) else None

    def commit(self, lines: Iterable[dict[str, Any]]) -> str:
        """Commit to the main branch, and return the commit's id.

        Args:
            lines: The header, then each change, as the commit API wants them.

        Raises:
            Forbidden: When we may not write there.
            BackendError: When the hub does not take it.
        """

        def body() -> Iterator[bytes]:
            for line in lines:
                yield json.dumps(line).encode() + b"\n"

        headers = {"Content-Type": "application/x-ndjson"}
        told = self._ask("POST", f"{self.address.api}/commit/main", content=body(), headers=headers)
        oid = told.get("commitOid")
        if not isinstance(oid, str):
            raise BackendError(f"{self.login.endpoint} does not say what the commit is called")
        return oid

    def bring(self, evidence: bytes) -> dict[str, Any]:
        """Bring an evidence file, and return what the hub says it took of it.

        Raises:
            InputError: When the hub says why it does not take it.
            Forbidden: When we may not.
            BackendError: When the hub does not do it.
        """
        said = self._ask(
            "POST",
            f"{self.address.api}/evidence",
            accept=(200, 201, 400, 403, 409, 413),
            content=evidence,
            headers={"Content-Type": "application/json"},
        )
        if "received" not in said:
            why = clean(str(said.get("error", "it does not say why")))[:500]
            raise InputError(f"{self.login.endpoint} does not take this evidence: {why}")
        return said

    def _put(self, upload: object, stream: io.BufferedIOBase, size: int) -> None:
        href = upload.get("href") if isinstance(upload, dict) else None
        if not isinstance(href, str):
            raise BackendError(f"{self.login.endpoint} does not say where a file is to be sent")
        given = upload.get("header") if isinstance(upload, dict) else None
        headers = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}

        def body() -> Iterator[bytes]:
            while chunk := stream.read(CHUNK):
                yield chunk

        # NOTE: no token of ours: the address says what it is for, and may be another host's.
        url = httpx.URL(f"{self.login.endpoint}/").join(href)
        self._exchange("PUT", url, (200, 201, 204), content=body(), headers={**headers, "Content-Length": str(size)})

    def _ask(self, method: str, path: str, *, accept: tuple[int, ...] = (200, 201), **options: Any) -> dict[str, Any]:
        base = httpx.URL(f"{self.login.endpoint}/")
        url = httpx.URL(f"{self.login.endpoint}{path}") if path.startswith("/") else base.join(path)
        headers = dict(options.pop("headers", {}))
        if self.login.token and (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port):
            headers["Authorization"] = f"Bearer {self.login.token}"
        return self._exchange(method, url, accept, headers=headers, **options)

    def _exchange(self, method: str, url: httpx.URL, accept: tuple[int, ...], **options: Any) -> dict[str, Any]:
        data = bytearray()
        try:
            with self._http.stream(method, url, **options) as response:
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > MOST_ANSWER:
                        raise BackendError(f"{self.login.endpoint} answers with too much")
        except httpx.HTTPError as error:
            raise BackendError(f"{self.login.endpoint} cannot be reached, or broke off: {error}") from error
        if response.status_code not in accept:
            self._refuse(response, bytes(data))
        try:
            told = json.loads(data) if data.strip() else {}
        except (ValueError, RecursionError):
            told = {}
        return told if isinstance(told, dict) else {}

    def _refuse(self, response: httpx.Response, body: bytes) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        refusal = Refusal(response.status_code, headers, body)
        if refusal.status == 401 or (refusal.status == 403 and not refusal.message):
            raise Forbidden(f"{self.login.endpoint} wants a token that may write to {self.address.repo}")
        raise explain(refusal, self.login.endpoint, self.address, "", token=self.login.token is not None)
