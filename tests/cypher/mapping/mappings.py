"""Three mappings that together use every option, and the statements that a mapping applies to."""

from __future__ import annotations

from typing import Any

from kinfolio.cypher.mapping.names import mapping_from
from kinfolio.cypher.queries import statements
from kinfolio.cypher.schema import CONSTRAINTS, OWN_CONSTRAINTS

STATEMENTS = sorted(
    name
    for name in statements()
    # These write the standard names and are refused with a mapping.
    if not name.startswith(("load_", "demo_", "change_"))
    # In a mapped graph only constraints on kinfolio's own properties are created.
    and name not in set(CONSTRAINTS) - set(OWN_CONSTRAINTS)
)

BARE: dict[str, Any] = {
    "users": {"label": "Client", "id": "number"},
    "products": {"label": "Fund", "id": "isin"},
    "holdings": {"type": "BOUGHT", "exclusive": True},
}
"""Required sections only."""

MOVIES: dict[str, Any] = {
    "users": {"label": "Person", "id": "uid", "id_type": "integer", "name": "called"},
    "products": {"label": "Movie", "id": "movieId", "id_type": "integer", "name": "title"},
    "holdings": {
        "type": "RATED",
        "rating": "stars",
        "least_rating": 4,
        "at": "timestamp",
        "at_unit": "seconds",
    },
    "ties": {"type": "FOLLOWS", "kind": "how"},
    "reviews": {"type": "REVIEWED", "text": "summary", "rating": "points"},
    "categories": {"label": "Genre", "type": "HAS", "direction": "in", "name": "word"},
}
"""Integer ids, a least rating, reviews as relationships."""

ODD: dict[str, Any] = {
    "users": {
        "label": "a `b`",
        "id": "k\\u0060y",
        "name": "it's",
        "risk_tolerance": "risk level",
        "country": "land",
    },
    "products": {
        "label": 'c "d" 💶',
        "id": "n\nn",
        "name": "{x}",
        "kind": "$kind",
        "sector": "sec//tor",
        "text": "text",
        "risk": "r.r",
        "open": "offen",
        "countries": "[c]",
    },
    "holdings": {
        "type": "h|h",
        "direction": "in",
        "rating": "{}",
        "at": "since",
        "at_unit": "date",
        "weight": "weight",
        "split": "part",
    },
    "ties": {"type": "-[t]-", "kind": "k", "at": "t", "split": "s"},
    "reviews": {
        "label": "Review",
        "wrote": "ABOUT",
        "about": "WROTE",
        "id": "no",
        "id_type": "integer",
        "text": "body",
        "rating": "mark",
        "at": "day",
        "at_unit": "date",
        "split": "part",
    },
    "categories": {"label": "User", "type": "HOLDS"},
    "dismissals": {"type": "x' OR 1=1 //", "direction": "out"},
}
"""Names with Cypher syntax, dates, and standard names with another meaning."""

ALL = {"bare": BARE, "movies": MOVIES, "odd": ODD}
MAPPINGS = {name: mapping_from(content) for name, content in ALL.items()}
