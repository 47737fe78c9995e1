"""One attack by one request, and the answer that refuses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.web.running import API, OTHER, Web

LIST = f"{API}/users/{OTHER}/recommendations"
DATA = f"{API}/users/{OTHER}/data"
SERVING = f"{API}/versions/serving"
ROLL_BACK = {"version": "first"}


@dataclass(frozen=True, slots=True)
class Attack:
    """A request that must be refused and change nothing."""

    name: str
    status: int
    """Of the refusal."""
    method: str = "GET"
    path: str = LIST
    caller: str | None = None
    """Whose token is sent."""
    body: object = None
    """Bytes as they are, other values as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Web], dict[str, Any]] | None = None
    """Returns a `cookie`, `headers` or a `path` that only the running server determines."""
    session: str | None = None
    """Whose session's cookie is sent, as a browser does."""
