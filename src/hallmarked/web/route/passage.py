"""Whether a passage or a work is in the texts of data sets, for programs."""

from __future__ import annotations

import time
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.web.passage import MOST_BYTES, find_passages, in_step
from hallmarked.web.request import parse_object, read_body, text_of


async def ask_json(request: Request) -> Response:
    """Answer a program: ``{"text": …, "dataset": "owner/name"}``, the second if one is meant."""
    began = time.monotonic()
    body = parse_object(await read_body(request, MOST_BYTES))

    def work() -> Response:
        made = find_passages(request, text_of(body, "text"), text_of(body, "dataset", ""))
        return JSONResponse(asdict(made))

    return await in_step(request, work, began)


ROUTES = [Route("/api/hallmarked/passages", ask_json, methods=["POST"])]
