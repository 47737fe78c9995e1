"""Ids in paths: an id may contain a slash, which a path carries as `%2F`.

Servers decode a path before it is routed. `EscapedSlashes` therefore marks encoded slashes by a
private character, and the convertor `id` of a route (`/users/{user:id}`) turns it back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, unquote

from pydantic import StringConstraints
from starlette.convertors import Convertor, register_url_convertor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_SLASH = "\ue000"
MAX_ID_CHARACTERS = 1_000

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARACTERS)]
"""Id of a user or a product, as in the input."""


class _IdConvertor(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value.replace(_SLASH, "/")

    def to_string(self, value: str) -> str:
        return segment(value)


register_url_convertor("id", _IdConvertor())


def segment(id: str) -> str:
    """Return an id as one segment of a path."""
    return quote(id, safe="")


class EscapedSlashes:
    """Middleware that keeps encoded slashes apart from those between segments."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its path marked."""
        raw = scope.get("raw_path")
        if raw and b"%2" in raw:
            marked = re.sub("%2f", quote(_SLASH), raw.decode("ascii", "replace"), flags=re.I)
            scope = {**scope, "path": unquote(marked)}
        await self._app(scope, receive, send)
