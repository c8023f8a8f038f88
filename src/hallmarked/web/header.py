"""Headers that tell browsers what a response may do; a response that says nothing may do nothing.

Content Security Policy Level 3: https://www.w3.org/TR/CSP3/ . Uploaded bytes are served from the same host as the
pages, so the default is a sandbox without scripts; only documents made from our own templates carry ``PAGE_POLICY``.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What our own documents may do: our style sheet, our script, images of this host, forms to this host."""
BYTES_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""What anything else may do when a browser opens it: nothing."""
ALWAYS = {
    "Content-Security-Policy": BYTES_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Headers of every response that does not set its own."""
_RAW = tuple((name.lower().encode(), value.encode()) for name, value in ALWAYS.items())
YEAR = 31_536_000
"""Seconds for which a browser remembers to come back by https only."""
_SECURE = ((b"strict-transport-security", f"max-age={YEAR}".encode()),)


class HeaderMiddleware:
    """Give every response its security headers, unless the route set stricter or wider ones on purpose.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = dict(message["headers"])
                added = _RAW + _SECURE if scope["scheme"] == "https" else _RAW
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in own)]
            await send(message)

        await self.app(scope, receive, send_with_headers)
