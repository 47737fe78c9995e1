"""The authored clauses: one TOML file a language, checked when loaded.

Knows nothing of graphs or models; a missing or misspelt field is found at the first use.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from kinfolio.errors import BadConfig
from kinfolio.llm_explain.checking.check import load_words
from kinfolio.llm_explain.checking.parse import is_ordinary

_FIELDS = {
    "lead": {"product", "reason"},
    "next": {"reason"},
    "against": {"reason"},
    "reason": {
        *("name", "names", "items", "holders", "both", "category"),
        *("person", "rating"),
    },
    "fixed": {"product", "rules", "risk", "tolerance", "amount", "score"},
}
"""Fields a text of a section may have, besides the forms that `[this]` gives of the product."""
_NEEDED = {
    "lead": ("mainly", "partly", "several", "weak", "refused"),
    "next": ("partly", "little"),
    "against": ("first", "more"),
}
_REASONS = {
    "holding": (
        *("itself", "together", "together_item", "together_several", "few", "few_several"),
        *("category", "near", "against"),
    ),
    "tie": ("holds", "holds_several", "rated", "near", "against", "against_several"),
    "text": ("own", "about", "against"),
    "popularity": ("many", "few", "fewest", "against_many", "general", "against_general"),
}
_FIXED = (
    *("not_for_you", "nothing_for", "only_popularity", "only_ties", "only_text", "risk"),
    *("rest", "rest_against", "more", "more_against", "rest_long", "rest_long_against"),
    *("notice", "held", "dismissed", "closed", "country", "country_unknown", "risk_above"),
    "risk_unknown",
)
_WORDS = (
    *("language", "product", "fewer", "and", "comma", "weight", "against", "thousands"),
    "decimal",
)
_PLAIN_NAME = re.compile(r"[A-Z0-9][\w&'’./+-]*( [\w&'’./+-]+)*")
_COMPANY = re.compile(r" (?:Inc|Co|Corp|Cos|Ltd|Bros|S\.A|N\.V|L\.P)\.$")
"""A full stop that ends no sentence: the name of a company goes without quotation marks."""
_KIND = re.compile(r"[A-Za-z]{2,20}")
_LONGEST_NAME = 120
_LONGEST_NOTICE = 500
FEWEST_PEOPLE = 5
"""Numbers of people below this are told as "fewer than 5" unless the deployment says otherwise."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """What may be said in one language."""

    language: str
    """Its code, like "en": the check has a file of the same code."""
    lead: dict[str, tuple[str, ...]]
    next: dict[str, tuple[str, ...]]
    against: dict[str, tuple[str, ...]]
    reason: dict[str, dict[str, tuple[str, ...]]]
    fixed: dict[str, str]
    words: dict[str, str]
    forms: dict[str, dict[str, str]]
    """How the product explained is spoken of, by its kind; "default" for all other kinds."""
    people: dict[str, tuple[str, str, str]]
    kinds: dict[str, str]
    vocabulary: frozenset[str]
    """Words that a name may not be taken for, in lower case: those of the clauses and the check."""
    fewest: int = FEWEST_PEOPLE
    """Numbers of people below this are withheld (k-anonymity)."""
    names_people: bool = False
    """Whether people behind ties are named."""

    def for_deployment(
        self, *, fewest: int = FEWEST_PEOPLE, names_people: bool = False, notice: str = ""
    ) -> Clauses:
        """The clauses under what a deployment allows and must say.

        Args:
            fewest: numbers of people below this are withheld.
            names_people: whether people behind ties are named.
            notice: said by code at the end of every explanation; empty: the language's own.

        Raises:
            BadConfig: a number below 1, or a notice that is no short text.
        """
        if fewest < 1:
            raise BadConfig(f"the fewest people told of are {fewest}; give a number from 1 on")
        notice = " ".join(notice.split())
        if len(notice) > _LONGEST_NOTICE or (notice and notice[-1] not in ".!"):
            raise BadConfig(
                f"the notice {notice[:40]!r} has {len(notice)} characters; give at most "
                f"{_LONGEST_NOTICE}, ending with a full stop"
            )
        fixed = {**self.fixed, "notice": notice} if notice else self.fixed
        return replace(self, fewest=fewest, names_people=names_people, fixed=fixed)

    def shown_name(self, name: str) -> str:
        """A name as it stands in a text: in quotation marks where it could pass for our words."""
        flat = " ".join("".join(c if c.isprintable() else " " for c in name).split())
        flat = flat.translate({ord(c): "'" for c in "“”"})
        if len(flat) > _LONGEST_NAME:
            flat = flat[: _LONGEST_NAME - 1].rstrip() + "…"
        ours = is_ordinary(flat, self.vocabulary)
        sentence = re.search(r"[.!?:;] |[.!?]$", _COMPANY.sub("", flat))
        if _PLAIN_NAME.fullmatch(flat) and not ours and not sentence:
            return flat
        return f"“{flat}”"

    def noun(self, kind: str | None) -> str:
        """What to call a product of a kind: the kind when it is one plain word, else "product"."""
        if not kind or not _KIND.fullmatch(kind):
            return self.words["product"]
        noun = kind if kind.isupper() and len(kind) <= 4 else kind.lower()
        # "this savings" would not do: "this savings product".
        return f"{noun} {self.words['product']}" if noun.endswith("s") else noun

    def this(self, kind: str | None) -> dict[str, str]:
        """The product explained when it is spoken of again: {"this": "this bond", "it": "it"}."""
        forms = self.forms.get(str(kind).casefold(), self.forms["default"])
        return {key: text.format(kind=self.noun(kind)) for key, text in forms.items()}

    def number(self, value: float) -> str:
        """A number as the language writes it: 1,183 and 4.5, or 1.183 and 4,5."""
        signs = {",": self.words["thousands"], ".": self.words["decimal"]}
        return "".join(signs.get(sign, sign) for sign in f"{value:,.15g}")

    def count(self, number: int) -> int | str:
        """A number of people as it may be told: none below the threshold is told exactly."""
        return number if number >= self.fewest else self.words["fewer"].format(k=self.fewest)

    def listed(self, names: list[str]) -> str:
        """Names in one row: "A", "A and B", "A, B and C"."""
        if len(names) == 1:
            return names[0]
        first = self.words["comma"].join(names[:-1])
        return self.words["and"].format(first=first, last=names[-1])

    def tie(self, kind: str | None, direction: str) -> str:
        """The key in `people` of a kind of tie; the default one for a kind nobody wrote about."""
        key = str(kind or "").strip().casefold().replace(" ", "_").replace("-", "_")
        key = f"{self.kinds.get(key, key)}_{direction}"
        return key if key in self.people else f"default_{direction}"


@cache
def load_clauses(language: str = "en") -> Clauses:
    """The clauses of one language.

    Raises:
        BadConfig: there is no such language, or its file lacks or misspells something.
    """
    file = files("kinfolio.llm_explain.wording").joinpath(f"clauses_{language}.toml")
    if not language.isidentifier() or not file.is_file():
        known = ", ".join(languages())
        raise BadConfig(f"there are no clauses for language {language!r}; give one of {known}")
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"clauses_{language}.toml cannot be read: {error}") from error
    return clauses_from(content, f"clauses_{language}.toml", language)


def languages() -> list[str]:
    """Codes of the languages that have clauses."""
    found = (file.name for file in files("kinfolio.llm_explain.wording").iterdir())
    return sorted(
        name.removeprefix("clauses_").removesuffix(".toml")
        for name in found
        if re.fullmatch(r"clauses_\w+\.toml", name)
    )


def clauses_from(content: dict[str, Any], source: str, language: str = "en") -> Clauses:
    """The clauses in the content of a file.

    Args:
        content: what the file holds.
        source: its name, for what is told of it.
        language: its code.

    Raises:
        BadConfig: something is missing, or a field is not known.
    """
    missing = [
        f"{section}.{key}"
        for section, keys in {
            **_NEEDED,
            **{f"reason.{kind}": cases for kind, cases in _REASONS.items()},
            "fixed": _FIXED,
            "people": ("default_out", "default_in"),
            "words": _WORDS,
            "this": ("default",),
            "this.default": ("this", "it"),
        }.items()
        for key in keys
        if not _at(content, section).get(key)
    ]
    if missing:
        raise BadConfig(f"{source} lacks {', '.join(missing)}")
    forms: dict[str, dict[str, str]] = content["this"]
    for kind, table in forms.items():
        if lacking := forms["default"].keys() - table.keys():
            raise BadConfig(f"{source} lacks this.{kind}.{min(lacking)}")
    for section, allowed in _FIELDS.items():
        for text in _texts(content[section]):
            allowed = allowed | forms["default"].keys()
            unknown = {name for _, name, _, _ in Formatter().parse(text) if name} - allowed
            if unknown:
                raise BadConfig(f"{source}: {text!r} has the unknown field {unknown.pop()!r}")
    written = " ".join(_texts(content)).casefold()
    return Clauses(
        language=language,
        lead=_tuples(content["lead"]),
        next=_tuples(content["next"]),
        against=_tuples(content["against"]),
        reason={kind: _tuples(cases) for kind, cases in content["reason"].items()},
        fixed=dict(content["fixed"]),
        words=dict(content["words"]),
        forms=forms,
        people={key: (a, b, c) for key, (a, b, c) in content["people"].items()},
        kinds=dict(content.get("kinds", {})),
        vocabulary=frozenset(re.findall(r"[^\W\d_]+", written)) | load_words(language).known,
    )


def _at(content: dict[str, Any], section: str) -> dict[str, Any]:
    for part in section.split("."):
        content = content.get(part, {})
    return content


def _texts(content: Any) -> list[str]:
    # Any: a TOML value is a text, a list or a table.
    if isinstance(content, str):
        return [content]
    values = content.values() if isinstance(content, dict) else content
    return [text for value in values for text in _texts(value)]


def _tuples(table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(value) for key, value in table.items()}
