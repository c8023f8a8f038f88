"""Whether a card's front matter can be read."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hallmarked.hub.repository.card import judge_card
from hallmarked.web.request import text_of, with_json


def validate(request: Request, body: dict[str, Any]) -> Response:
    """Say what is wrong with the front matter of a README; in JSON, or as text to whom asks for that."""
    found = judge_card(text_of(body, "content").encode("utf-8", "replace"))
    status = 400 if found.errors else 200
    if request.headers.get("accept", "").startswith("text/plain"):
        lines = [f"- Error: {text}" for text in found.errors] + [f"- Warning: {text}" for text in found.warnings]
        return PlainTextResponse("\n".join(lines), status)
    answer = {"errors": found.errors, "warnings": found.warnings}
    return JSONResponse({kind: [{"message": text} for text in texts] for kind, texts in answer.items()}, status)


ROUTES = [Route("/api/validate-yaml", with_json(validate), methods=["POST"])]
