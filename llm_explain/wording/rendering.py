"""Fill the frames and clauses of a language with the facts of evidence."""

from __future__ import annotations

from collections.abc import Mapping

from kinfolio.llm_explain.display import quoted_name
from kinfolio.llm_explain.explanation import Evidence
from kinfolio.llm_explain.wording.clauses import Clauses

_NAMES = ("name", "category")


class Renderer:
    """Sentences and clauses about one product."""

    def __init__(
        self, clauses: Clauses, fields: Mapping[str, str], this: dict[str, str], *, is_long: bool
    ) -> None:
        """`fields` are those of frames, `this` the forms of the product."""
        self._clauses = clauses
        self._fields = dict(fields)
        self._this = this
        self._is_long = is_long

    def sentence(self, frame: str, text: str, group: list[Evidence], fields: dict[str, str]) -> str:
        """Return a sentence: a clause with the fields of its evidence in a frame."""
        this = self._this
        if "{this" in frame and group[0].contribution < 0:
            # Named just before: "What speaks against this bond: only 23 people hold it".
            pairs = {key: key.replace("this", "it") for key in this if key.startswith("this")}
            this = this | {key: this[it] for key, it in pairs.items() if it in this}
        reason = self.reason(text, group, fields | this)
        if frame.startswith("{reason}"):
            reason = capitalized(reason)
        own = {key: fields[key] for key in ("product",) if key in fields}
        return capitalized(frame.format_map(self._fields | own | {"reason": reason})) + "."

    def reason(self, text: str, group: list[Evidence], fields: dict[str, str]) -> str:
        """Return a clause with its weight, in a long text, and its citation."""
        reason = text.format_map(self._clauses.domain | fields)
        if "{items}" in text:
            return reason
        weight = round(100 * abs(sum(piece.share for piece in group)))
        if self._is_long and weight:
            percent = self._clauses.number(weight)
            reason += f" ({self._clauses.words['weight'].format(percent=percent)})"
        return reason + " " + "".join(f"[{piece.id}]" for piece in group)

    def fields_of(
        self, group: list[Evidence], person: str, *, are_quoted: bool = False
    ) -> dict[str, str]:
        """Return the facts of a group as text, numbers in the format of the language.

        `person` is who is behind a tie, `are_quoted` puts all names in quotation marks.
        """
        facts = [self._facts(piece, are_quoted=are_quoted) for piece in group]
        fields = self._clauses.domain | facts[0]
        if are_quoted:
            fields["product"] = quoted_name(self._fields["product"])
        names = list(dict.fromkeys(fact["name"] for fact in facts if "name" in fact))
        if names:
            fields["names"] = self._clauses.listed(names)
        if item := self._clauses.reason[group[0].kind].get(f"{facts[0]['claim']}_item"):
            items = [
                f"{item[0].format_map(self._clauses.domain | fact)} [{piece.id}]"
                for piece, fact in zip(group, facts, strict=True)
            ]
            fields["items"] = self._clauses.listed(items)
        if "tie" in fields:
            fields["person"] = fields.get("names", person)
        return fields

    def _facts(self, piece: Evidence, *, are_quoted: bool) -> dict[str, str]:
        facts = {}
        for key, value in piece.facts:
            text = value if isinstance(value, str) else self._clauses.number(value)
            facts[key] = quoted_name(text) if are_quoted and key in _NAMES else text
        if "often" in facts:
            facts["often"] = self._clauses.words[f"often_{facts['often']}"]
        return facts


def capitalized(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]
