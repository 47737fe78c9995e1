"""Ids in paths: an id may contain a slash, which a path carries as `%2F`.

Servers decode a path before it is routed. `EscapedSlashes` therefore replaces encoded slashes by
two private characters, and the first of these by itself twice; the convertor `id` of a route
(`/users/{user:id}`) turns both back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, unquote

from pydantic import StringConstraints
from starlette.convertors import Convertor, register_url_convertor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

API = "/api/v1"
"""Begin of the paths of the API."""
_MARK, _SLASH = "\ue000", "\ue001"
_ENCODED = re.compile(f"{quote(_MARK)}|%2F", re.IGNORECASE)
MAX_ID_CHARACTERS = 1_000

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARACTERS)]
"""Id of a user or a product, as in the input."""


class _IdConvertor(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return re.sub(f"{_MARK}(.)", lambda found: "/" if found[1] == _SLASH else _MARK, value)

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
        if raw and b"%" in raw:
            marked = _ENCODED.sub(_marked, raw.decode("ascii", "replace"))
            scope = {**scope, "path": unquote(marked)}
        await self._app(scope, receive, send)


def _marked(found: re.Match[str]) -> str:
    return quote(_MARK + (_SLASH if found[0].upper() == "%2F" else _MARK))
