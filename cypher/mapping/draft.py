"""A statement during a rewrite: its words before and after."""

from __future__ import annotations

from kinfolio.cypher.mapping.patterns import Link, Statement


class Draft:
    """Words of a statement by place; an edit leaves the places unchanged."""

    def __init__(self, text: str) -> None:
        self.read = Statement(text)
        self.out = list(self.read.words)
        self._spaces = self.read.spaces

    def text(self) -> str:
        """Return the rewritten statement."""
        return self._spaces[0] + self._joined(0, len(self.out))

    def blank(self, place: int) -> None:
        """Remove a word and the space after it."""
        self.out[place] = self._spaces[place + 1] = ""

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace the words from `start` to `end` by a text."""
        self.out[start:end] = [text, *[""] * (end - start - 1)]

    def between(self, start: int, end: int) -> str:
        """Return the words from `start` to `end` with their spaces."""
        return self._joined(start, end).strip()

    def _joined(self, start: int, end: int) -> str:
        pairs = zip(self.out[start:end], self._spaces[start + 1 : end + 1], strict=True)
        return "".join(word + space for word, space in pairs)

    def set_direction(self, link: Link, direction: str) -> None:
        """Reverse a relationship pattern ("in") or remove its direction ("both")."""
        points_in = direction == "in" and link.is_out
        points_out = direction == "in" and link.is_in
        for place in (link.first, link.last):
            self.out[place] = "" if self.read.at(place) in "<>" else "-"
        self.out[link.open - 1] = "<-" if points_in else "-"
        self.out[link.close + 1] = "->" if points_out else "-"

    def variable(self, place: int | None, open: int) -> str:
        """Return the variable at a place, or a new one for the pattern that opens at `open`."""
        return f"link_{open}" if place is None else self.read.words[place]
