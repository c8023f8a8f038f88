"""Forms that pages send: bounded, and only from our own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hallmarked.core.errors import InputError
from hallmarked.web.request import read_body

MOST_BYTES = 1 << 20
MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody entered."""

    fields: Mapping[str, tuple[str, ...]]
    """Values by name, in the order they were sent."""

    def text(self, name: str, default: str = "") -> str:
        """Return the first value of a field, without spaces around it."""
        return self.fields.get(name, (default,))[0].strip()

    def raw(self, name: str) -> str:
        """Return the first value of a field exactly as it was typed, for passwords."""
        return self.fields.get(name, ("",))[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return self.fields.get(name, ())

    def checked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))


def with_form(endpoint: Callable[..., Response]) -> Callable[..., Awaitable[Response]]:
    """Let an endpoint take the request and the form that was sent with it.

    Raises:
        InputError: When it is not a form, or an unusually large one.
    """

    @wraps(endpoint)
    async def read(request: Request, **options: Any) -> Response:
        data = await read_body(request, MOST_BYTES)
        form = parse_form(data)
        return await run_in_threadpool(endpoint, request, form, **options)

    return read


def parse_form(data: bytes) -> Form:
    """Read a form as browsers send it (``application/x-www-form-urlencoded``).

    Raises:
        InputError: When it is not a form, or has too many fields.
    """
    try:
        pairs = parse_qsl(data.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        if any("\0" in text for pair in pairs for text in pair):
            raise ValueError
    except ValueError as error:
        raise InputError("the form could not be read") from error
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value)
    return Form(fields)
