"""Which names in a graph resemble a role: words by role and property, in order of preference."""

from __future__ import annotations

USERS = "user person customer member client account reader viewer investor subscriber people"
PRODUCTS = "product item movie film book fund article song track course game security stock recipe"
HOLDS = (
    "holds owns bought purchased buys rated invested_in has_bought ordered watched likes liked "
    "reviewed read listened_to viewed saved subscribed_to enrolled_in uses clicked"
)
TIES = "follows tied_to friend_of friends friend knows is_friend_of trusts connected_to likes"
DISMISSED = "dismissed disliked dislikes hides hid skipped not_interested blocked rejected"
CATEGORIES = "category genre sector type topic tag class brand"
NOT_HELD = "acted_in directed produced wrote works_for works_at lives_in created authored manages"
IDS = "id uuid uid key code number email isin sku name title"
PROPERTIES = {
    "name": "name title fullname label",
    "risk_tolerance": "risk_tolerance risk_level risk_profile risk_appetite",
    "country": "country country_code",
    "kind": "kind type",
    "sector": "sector industry",
    "text": "text description tagline plot summary overview abstract synopsis body comment content",
    "risk": "risk risk_level risk_class srri sri",
    "open": "open is_open available is_available active is_active",
    "countries": "countries markets",
    "rating": "rating stars score grade",
    "at": "at timestamp time date created_at created rated_at since when ts",
    "weight": "weight amount quantity",
    "split": "split",
}
"""By line of a mapping."""


def is_like(name: str, words: str) -> bool:
    """Return whether a name resembles one of some words."""
    return likeness(name, words) > 0


def likeness(name: str, words: str) -> float:
    """Return how early a name stands among some words, ignoring case, `_`, `-` and plural.

    2.0 for the first word, decreasing to 1.0; 0.5 for a plural; 0.0 for no word.
    """
    listed = [_plain(word) for word in words.split()]
    plain = _plain(name)
    if plain in listed:
        return 1.0 + 1.0 / (1 + listed.index(plain))
    return 0.5 if plain.rstrip("s") in listed else 0.0


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
