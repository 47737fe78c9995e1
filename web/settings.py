"""Settings of the server. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one server; the command line sets them."""

    home: Path
    """Folder of tokens, conversations and events."""
    run: Path = Path("runs/default")
    """Run whose report is displayed."""
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    """Names in the `Host` header; another one is refused, which stops DNS rebinding."""
    proxy_header: str | None = None
    """Header with the name of a caller who was signed in by a proxy; None: no header is trusted."""
    is_secure: bool = False
    """Whether browsers reach the server by TLS only; the cookie is then `Secure`."""
    language: str = "en"
    requests_per_second: float = 50.0
    """Of one caller, on average; twice as many at once."""
    max_body_bytes: int = 262_144
    """Of a request; the largest legitimate ones are 1,000 events."""
    max_chats: int = 8
    """Answers of conversations that are written at the same time."""
    session_hours: float = 12.0
