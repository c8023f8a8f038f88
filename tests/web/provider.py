"""A small OpenID Connect provider for tests: it signs in whoever it is told to, and can be told to lie."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route


@dataclass
class Provider:
    """What it says, and what it was asked."""

    url: str = ""
    subject: dict[str, Any] = field(default_factory=lambda: {"sub": "1"})
    """Claims about who is signed in there."""
    lies: dict[str, Any] = field(default_factory=dict)
    """Claims of the token that replace the true ones; None leaves one out."""
    issuer: str = ""
    """What its description says; its address without."""
    signs: bool = True
    """Whether the key that signs is the one it shows."""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def describe(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer or self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    def authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}", 303)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        query = self.codes.pop(str(form["code"]), None)
        verifier = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        good = query is not None and query["code_challenge"] == base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            not good
            or query is None
            or form["client_secret"] != "secret"
            or form["redirect_uri"] != query["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": "hub", "exp": now + 60, "iat": now, "nonce": query["nonce"], **self.subject}
        claims = {name: value for name, value in (claims | self.lies).items() if value is not None}
        key = self.key if self.signs else ECKey.generate_key("P-256", {"kid": "one"})
        return JSONResponse({"id_token": jwt.encode({"alg": "ES256", "kid": "one"}, claims, key), "access_token": "x"})

    def keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})


@contextlib.contextmanager
def serve_provider() -> Iterator[Provider]:
    """Run a provider on a free port of this machine."""
    made = Provider()
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", made.describe),
            Route("/authorize", made.authorize),
            Route("/token", made.token, methods=["POST"]),
            Route("/keys", made.keys),
        ]
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        try:
            yield made
        finally:
            server.should_exit = True
            thread.join()
