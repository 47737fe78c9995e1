"""Tokens of callers: created on the command line, stored as hashes in the home."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock
from typing_extensions import TypedDict

from kinfolio.cypher.server.private import private_files, private_folder
from kinfolio.errors import BadConfig, NotFound, quoted
from kinfolio.json_text import json_text
from kinfolio.run import whole_file
from kinfolio.storage.document import read_document

Role = Literal["analyst", "customer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
FILE_NAME = "tokens.json"
_BYTES = 32
"""Of randomness: no hash function for passwords is needed."""
_PREFIX = "kf_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token, without its secret."""

    id: str
    role: Role
    user: str | None
    """Of a customer; None for other roles."""
    name: str
    """Of its owner; a trusted proxy's header names it."""
    sha256: str
    """Of the secret, as hexadecimal digits; empty: only the proxy's header signs in."""
    created_at: str


class _Row(TypedDict):
    id: str
    role: Role
    user: str | None
    name: str
    sha256: str
    created_at: str


class _Stored(TypedDict):
    tokens: list[_Row]


class TokenStore:
    """The tokens in the file of a home, which is read again when it changes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        self._state: tuple[int, int, int] | None = None
        self._by_hash: dict[str, Token] = {}
        self._tokens: tuple[Token, ...] = ()
        self._lock = threading.Lock()

    def list(self) -> tuple[Token, ...]:
        """Return all tokens, oldest first."""
        self._refresh()
        return self._tokens

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret."""
        self._refresh()
        return self._by_hash.get(_hash(secret))

    def by_id(self, id: str) -> Token | None:
        """Return the token of an id; None after it was revoked."""
        return next((one for one in self.list() if one.id == id), None)

    def by_name(self, name: str) -> Token | None:
        """Return the token of a name that a proxy signs in; one with a secret is not meant."""
        return next((one for one in self.list() if one.name == name and not one.sha256), None)

    def add(
        self, role: Role, *, user: str | None = None, name: str = "", has_secret: bool = True
    ) -> tuple[Token, str]:
        """Create a token; return it with its secret, which is stored nowhere.

        Raises:
            BadConfig: a customer has no user, another role has one, or the name exists.
        """
        if (role == "customer") != (user is not None):
            raise BadConfig(
                f"a token of role {role} {'needs' if user is None else 'has no'} user; "
                "type: kinfolio token add --role customer --user ID, or another role without --user"
            )
        secret = _PREFIX + secrets.token_urlsafe(_BYTES)
        with self._locked():
            tokens = self.list()
            if name and any(one.name == name for one in tokens):
                raise BadConfig(
                    f"there is a token of the name {quoted(name)}; give another --name, or type: "
                    "kinfolio token list"
                )
            token = Token(
                id=secrets.token_hex(4),
                role=role,
                user=user,
                name=name,
                sha256=_hash(secret) if has_secret else "",
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            self._write((*tokens, token))
        return token, secret

    def revoke(self, id: str) -> Token:
        """Remove a token; its sessions end.

        Raises:
            NotFound: there is none of that id.
        """
        with self._locked():
            tokens = self.list()
            found = [one for one in tokens if one.id == id]
            if not found:
                raise NotFound(f"there is no token {quoted(id)}; type: kinfolio token list")
            self._write(tuple(one for one in tokens if one.id != id))
        return found[0]

    def _locked(self) -> FileLock:
        private_folder(self._file.parent)
        return FileLock(self._file.with_suffix(".lock"))

    def _write(self, tokens: tuple[Token, ...]) -> None:
        with private_files(), whole_file(self._file) as temporary:
            temporary.write_text(json_text({"tokens": [asdict(one) for one in tokens]}), "utf-8")

    def _refresh(self) -> None:
        with self._lock:
            try:
                found = self._file.stat()
            except FileNotFoundError:
                self._state, self._tokens, self._by_hash = None, (), {}
                return
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state == self._state:
                return
            cure = f"remove {self._file} and create the tokens again: kinfolio token add"
            stored = read_document(self._file, _Stored, cure)["tokens"]
            self._tokens = tuple(Token(**one) for one in stored)
            self._by_hash = {one.sha256: one for one in self._tokens if one.sha256}
            self._state = state


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
