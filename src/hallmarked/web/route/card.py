"""Whether a card's front matter can be read."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Budget
from hallmarked.formats.readme import decode, read_metadata, split
from hallmarked.web.request import text_of, with_json


def validate(request: Request, body: dict[str, Any]) -> Response:
    """Say what is wrong with the front matter of a README."""
    data = text_of(body, "content").encode("utf-8", "replace")
    try:
        front, _, _ = split(decode(data))
        read_metadata(front, Budget(stored=len(data)))
    except FormatError as error:
        return JSONResponse({"errors": [{"message": str(error)}], "warnings": []}, 400)
    warnings = [] if front else [{"message": "the card has no front matter, so that it says nothing to programs"}]
    return JSONResponse({"errors": [], "warnings": warnings})


ROUTES = [Route("/api/validate-yaml", with_json(validate), methods=["POST"])]
