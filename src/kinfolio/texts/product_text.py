"""The text of a product: the same for an export and for a product that came after the training."""

from __future__ import annotations

from collections.abc import Iterable


def joined_text(parts: Iterable[str]) -> str:
    """Return name, kind, category, sector and text of a product as one text."""
    return ". ".join(text.strip().rstrip(".") for text in parts if text.strip())


def name_and_rest(name: str, whole: str) -> tuple[str, str]:
    """Split a text of `joined_text` into name and rest; "" if it does not begin with the name."""
    name = name if name and whole.startswith(name) else ""
    return name, whole[len(name) :].lstrip(". ")
