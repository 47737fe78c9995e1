"""Sessions of browsers, in memory: they end with the process, at sign-out or with their token."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

COOKIE = "kinfolio_session"
MOST_SESSIONS = 10_000
LINK_SECONDS = 3_600.0
"""Validity of a one-time link."""


@dataclass(frozen=True, slots=True)
class _Session:
    token: str
    expires: float


class Sessions:
    """Session secrets, stored as hashes, with the id of the token that each belongs to."""

    def __init__(self, hours: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = hours * 3600
        self._clock = clock
        self._sessions: dict[bytes, _Session] = {}
        self._links: dict[bytes, _Session] = {}
        self._lock = threading.Lock()

    def open(self, token_id: str) -> str:
        """Begin a session; return its secret for the cookie."""
        return self._add(self._sessions, token_id, self.seconds)

    def token_of(self, secret: str) -> str | None:
        """Return the id of the token of a session; None if it has ended."""
        with self._lock:
            found = self._sessions.get(_hash(secret))
        return found.token if found and found.expires > self._clock() else None

    def close(self, secret: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_hash(secret), None)

    def create_link(self, token_id: str) -> str:
        """Return a secret that opens one session, once, within `LINK_SECONDS`."""
        return self._add(self._links, token_id, LINK_SECONDS)

    def use_link(self, secret: str) -> str | None:
        """Return the id of the token of a one-time link, which is used up."""
        with self._lock:
            found = self._links.pop(_hash(secret), None)
        return found.token if found and found.expires > self._clock() else None

    def _add(self, into: dict[bytes, _Session], token_id: str, seconds: float) -> str:
        secret, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            for key in [key for key, one in into.items() if one.expires <= now]:
                del into[key]
            while len(into) >= MOST_SESSIONS:
                del into[next(iter(into))]  # the oldest
            into[_hash(secret)] = _Session(token_id, now + seconds)
        return secret


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
