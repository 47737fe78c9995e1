"""The environment variables of kinfolio, read in this module only."""

from __future__ import annotations

import math
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from kinfolio.errors import BadConfig, quoted
from kinfolio.records import TIMEOUT_SECONDS, Connection


def home() -> Path:
    """Folder of server, password and caches: `KINFOLIO_HOME`, or the platform's data folder."""
    folder = os.environ.get("KINFOLIO_HOME")
    if folder:
        return Path(folder).expanduser().resolve()  # a link names the same home
    from platformdirs import user_data_path

    return user_data_path("kinfolio", appauthor=False).resolve()


def is_debugging() -> bool:
    """Whether `KINFOLIO_DEBUG` asks for tracebacks."""
    return bool(os.environ.get("KINFOLIO_DEBUG"))


def configured_connection() -> Connection | None:
    """Server in `NEO4J_URI`; None: kinfolio runs its own."""
    uri = os.environ.get("NEO4J_URI")
    if not uri:
        return None
    return Connection(
        uri=uri,
        username=os.environ.get("NEO4J_USERNAME", "neo4j"),
        password=os.environ.get("NEO4J_PASSWORD", ""),
        database=os.environ.get("NEO4J_DATABASE") or None,
        timeout=timeout(),
    )


HARMLESS_KINDS = (
    *("account", "cash", "current account", "deposit", "insurance", "savings", "savings account"),
)
"""Kinds of products that lose no money and lend none: without a risk rating they are offered to
customers of unknown risk tolerance, other kinds are not."""


def harmless_kinds() -> tuple[str, ...]:
    """`KINFOLIO_HARMLESS_KINDS`, separated by commas, in lower case; default: `HARMLESS_KINDS`."""
    text = os.environ.get("KINFOLIO_HARMLESS_KINDS")
    if text is None:
        return HARMLESS_KINDS
    return tuple(kind.strip().lower() for kind in text.split(",") if kind.strip())


def approval_is_required() -> bool:
    """Whether a version needs the approval of a second person: `KINFOLIO_APPROVAL=required`.

    Raises:
        BadConfig: it is neither `required` nor `optional`.
    """
    text = os.environ.get("KINFOLIO_APPROVAL") or "optional"
    if text not in ("required", "optional"):
        raise BadConfig(f"KINFOLIO_APPROVAL is {quoted(text)}; give required or optional")
    return text == "required"


def operator(given: str | None = None) -> str:
    """Return who works: the name that was given, or that of the operating system's user.

    Raises:
        BadConfig: the name is empty or has invisible characters.
    """
    if given is None:
        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # in a container the user may have no name
            return f"uid {os.getuid()}"
    if not given.strip() or not given.isprintable():
        raise BadConfig(f"the name is {quoted(given)}; give that of a person, such as --by ann")
    return given.strip()


def timeout(given: str | None = None) -> float:
    """Seconds to wait for the database: as given, or `KINFOLIO_TIMEOUT`, or the default.

    Raises:
        BadConfig: it is not a positive number.
    """
    name = "KINFOLIO_TIMEOUT" if given is None else "--timeout"
    text = os.environ.get("KINFOLIO_TIMEOUT") if given is None else given
    if not text:
        return TIMEOUT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise BadConfig(f"{name} is {quoted(text)}; give a positive number of seconds such as 30")
    return seconds


def configured_path(name: str) -> Path | None:
    """File or folder in an environment variable."""
    value = os.environ.get(name)
    return Path(value) if value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Settings of the explanations in a deployment."""

    min_people: int
    """Smaller numbers of people are withheld."""
    names_people: bool
    """Whether people behind ties are named."""
    notice: str
    """Last sentence of an explanation; empty: the default of the language."""
    words: Path | None
    """File with the words for products and what people do with them, and facts to tell."""


_LONGEST_CONTACT = 200


def contact() -> str:
    """How a user reaches a person: `KINFOLIO_CONTACT`, such as a telephone number; else empty.

    Raises:
        BadConfig: it is too long for a sentence.
    """
    text = " ".join(os.environ.get("KINFOLIO_CONTACT", "").split())
    if len(text) > _LONGEST_CONTACT or not text.isprintable():
        raise BadConfig(
            f"KINFOLIO_CONTACT begins with {quoted(text[:40])} and has {len(text)} characters; "
            f"give at most {_LONGEST_CONTACT} printable ones, such as a telephone number"
        )
    return text


def deployment() -> Deployment:
    """`KINFOLIO_FEWEST_PEOPLE`, `KINFOLIO_NAME_PEOPLE`, `KINFOLIO_NOTICE` and `KINFOLIO_WORDS`.

    Raises:
        BadConfig: a value is not valid.
    """
    fewest = os.environ.get("KINFOLIO_FEWEST_PEOPLE") or "5"
    if not fewest.isascii() or not fewest.isdigit():
        raise BadConfig(
            f"KINFOLIO_FEWEST_PEOPLE is {quoted(fewest)}; give a whole number such as 5"
        )
    named = (os.environ.get("KINFOLIO_NAME_PEOPLE") or "no").casefold()
    if named not in ("yes", "no"):
        raise BadConfig(f"KINFOLIO_NAME_PEOPLE is {quoted(named)}; give yes or no")
    return Deployment(
        min_people=int(fewest),
        names_people=named == "yes",
        notice=os.environ.get("KINFOLIO_NOTICE", ""),
        words=configured_path("KINFOLIO_WORDS"),
    )
