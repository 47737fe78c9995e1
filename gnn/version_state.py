"""The cheap check of a version before it is served: the properties of its node, by type and range.

`kinfolio.gnn.publishing.version_check` also reads the vectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from kinfolio.errors import VersionDamaged, quoted
from kinfolio.records import Slot

SLOTS = ("a", "b")
STATES = ("writing", "ready", "active")
_COUNTS = {"heads": 1, "dim": 1, "products": 0}
"""Whole numbers that every version has, and the least of each."""
_OPTIONAL = {
    "fetch": int,
    "linked": int,
    "open_share": float,
    "tie_weight": float,
    "risk_levels": list,
    "split": int,
    "markets": list,
}
WAY_BACK = (
    "type: kinfolio versions rollback to serve the other version, or "
    "kinfolio writeback --run FOLDER to write it again"
)


SPLIT_BACK = (
    "it serves a part of the users; type: kinfolio versions split 0 to serve all of them by the "
    "other version"
)


class ServedVersion(NamedTuple):
    """What a statement about vectors needs to know of the version."""

    name: str | None
    slot: Slot
    row_length: float
    """Common length of all product vectors."""


def active_of(found: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the first active one of versions' properties; None if none is."""
    return next((version for version in found if version.get("state") == "active"), None)


def place_in_split(user_id: str) -> int:
    """Return the place of a user, 0 to 99.

    A split of P percent serves the users with places below P by the other version. The place is the
    first four bytes of the SHA-256 of the id in UTF-8, as a number, modulo 100: the same in
    every process, graph and split.
    """
    digest = sha256(user_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4]) % 100


def is_split(version: Mapping[str, Any]) -> bool:
    """Return whether a version serves in a split of users. Any: its properties in the graph."""
    return _is(version.get("split"), int)


def damaged(name: object, problem: str, way_back: str = WAY_BACK) -> VersionDamaged:
    """Return the error for a damaged version, with the way back."""
    return VersionDamaged(f"version {quoted(name)} in the graph is damaged: {problem}; {way_back}")


def check_version(version: Mapping[str, Any]) -> None:
    """Check the properties of a version.

    `version`: its properties (Any: as they are in the graph) with its `name`; `general` may be
    replaced by `general_width`, its length.

    Raises:
        VersionDamaged: it cannot be served.
    """
    problem = problem_of(version)
    if problem is not None and version.get("state") == "ready" and is_split(version):
        raise damaged(version.get("name"), problem, SPLIT_BACK)
    if problem is not None:
        raise damaged(version.get("name"), problem)


def problem_of(version: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the properties of a version; None: it can be served."""
    name, slot = version.get("name"), version.get("slot")
    if not isinstance(name, str) or not name:
        return f"its name is {quoted(name)}, not a text"
    if slot not in SLOTS:
        return f"its slot is {quoted(slot)}, neither 'a' nor 'b'"
    if version.get("state", "active") not in STATES:
        return f"its state is {quoted(version.get('state'))}, none of {', '.join(STATES)}"
    for key, least in _COUNTS.items():
        if not _is(version.get(key), int) or version[key] < least:
            return f"its {key} is {quoted(version.get(key))}, not a whole number from {least}"
    length = version.get("length")
    if length is None or not _is(length, float) or not length > 0:
        return f"its length is {length!r}, not a positive number"
    for key, kind in _OPTIONAL.items():
        if version.get(key) is not None and not _is(version[key], kind):
            return f"its {key} is {str(version[key])[:40]!r}, not a {kind.__name__}"
    width, general = version["heads"] * version["dim"], version.get("general")
    if version.get("general_width", width) != width or (
        "general_width" not in version and not is_vector(general, width)
    ):
        return f"its global mean user is not heads x dim = {width} finite numbers"
    return None


def is_vector(value: object, width: int) -> bool:
    """Return whether a value is a list of `width` finite numbers."""
    if not isinstance(value, list) or len(value) != width:
        return False
    try:
        return math.isfinite(sum(value))  # one number that is not finite makes the sum so
    except TypeError:
        return False


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, kind)
