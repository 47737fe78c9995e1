"""The authored clauses: one TOML file per language, validated when loaded."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from kinfolio.errors import BadConfig, quoted
from kinfolio.llm_explain.checking.lexicon import load_lexicon
from kinfolio.llm_explain.claims import CLAIMS, base_claim
from kinfolio.llm_explain.display import MIN_PEOPLE, Display
from kinfolio.llm_explain.words import read_words

if TYPE_CHECKING:
    from kinfolio.gnn.serving.rules import Rule

_FIELDS = {
    "lead": {"product", "reason"},
    "next": {"reason"},
    "against": {"reason"},
    "fixed": {
        *("product", "rules", "risk", "most", "tolerance", "number", "percent", "known", "facts"),
        *("at_most", "per", "rank", "rank_without"),
    },
}
"""Fields that a text of each section may have, besides the product's forms from `[this]` and the
words of `[domain]`; those of a reason are in `CLAIMS`."""
_REQUIRED = {
    "lead": ("mainly", "partly", "several", "weak", "refused"),
    "next": ("partly", "little"),
    "against": ("first", "more"),
    "reason.holding": ("together_item", "together_several"),
    "reason.tie": ("holds_several", "against_several"),
    "domain": ("hold", "holds", "held", "on_list"),
    "fixed": (
        *("not_for_you", "nothing_for", "only_popularity", "only_ties", "only_text", "risk"),
        *("rest", "rest_one", "rest_against", "rest_one_against", "more_against"),
        *("notice", "held", "dismissed", "closed", "country", "country_unknown", "risk_above"),
        *("risk_unknown", "unrated", "new", "own_rule", "counts", "about"),
        *("capped_moved", "capped_out"),
    ),
    "people": ("default_out", "default_in"),
    "words": (
        *("language", "product", "fewer", "and", "comma", "weight", "against", "thousands"),
        *("decimal", "category", "kind", "person"),
        *("known_text", "known_category", "known_name", "known_reviews", "less"),
        *("often_several", "often_twice", "often_more"),
    ),
    "this": ("default",),
    "this.default": ("this", "it"),
}
"""Keys that each section must have."""
_KIND = re.compile(r"[A-Za-z]{2,20}")
_LONGEST_NOTICE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Clauses(Display):
    """The sentences that an explanation may contain in one language."""

    language: str
    """Code such as "en"; the check has a file of the same code."""
    lead: dict[str, tuple[str, ...]]
    next: dict[str, tuple[str, ...]]
    against: dict[str, tuple[str, ...]]
    reason: dict[str, dict[str, tuple[str, ...]]]
    fixed: dict[str, str]
    domain: dict[str, str]
    """What people do with products, in the forms of a verb, and the first words of a text."""
    forms: dict[str, dict[str, str]]
    """Words for the explained product by its kind; "default" for all other kinds."""
    replaced: tuple[tuple[str, str], ...] = ()
    """Words of the deployment, longest first, each with that of the language, which the check
    knows."""
    words_file: Path | None = None
    """Where the words of the deployment come from, in all languages."""

    def for_deployment(
        self,
        *,
        min_people: int = MIN_PEOPLE,
        names_people: bool = False,
        notice: str = "",
        words: Path | None = None,
    ) -> Clauses:
        """Return the clauses within a deployment's limits, and in its words.

        An empty notice, the last sentence of every explanation, is that of the language. `words`
        is a file as in `words.py`.

        Raises:
            BadConfig: `min_people` is below 1, or the notice is too long or no sentence.
        """
        if min_people < 1:
            raise BadConfig(
                f"the smallest number of people to state is {min_people}; give a number from 1 on"
            )
        notice = " ".join(notice.split())
        if len(notice) > _LONGEST_NOTICE or (notice and notice[-1] not in ".!"):
            raise BadConfig(
                f"the notice {notice[:40]!r} has {len(notice)} characters; give at most "
                f"{_LONGEST_NOTICE}, ending with a full stop"
            )
        fixed = {**self.fixed, "notice": notice} if notice else self.fixed
        own = self if words is None else self._in_words_of(words)
        return replace(
            own,
            min_people=min_people,
            names_people=names_people,
            fixed=fixed,
            words_file=words,
        )

    def _in_words_of(self, file: Path) -> Clauses:
        default = self.forms["default"]
        keys = frozenset({"product", *self.domain, *default})
        own = read_words(file, self.language, keys)
        changed = {key: text for key, text in own.words.items() if key in default}
        forms = {**self.forms, "default": default | changed}
        domain = {key: own.words.get(key, text) for key, text in self.domain.items()}
        words = self.words | {"product": own.words.get("product", self.words["product"])}
        pairs = {domain[key]: text for key, text in reversed(self.domain.items())}
        # A participle may be the same word as a verb: "watched by" is "held by".
        pairs[f"{domain['held']} by"] = f"{self.domain['held']} by"
        pairs |= {forms["default"][key]: text for key, text in default.items() if key in changed}
        ordered = sorted(pairs.items(), key=lambda pair: -len(pair[0]))
        return replace(
            self,
            domain=domain,
            forms=forms,
            words=words,
            facts=dict(own.facts),
            replaced=tuple(pair for pair in ordered if pair[0] != pair[1]),
            vocabulary=self.vocabulary | set(" ".join(own.words.values()).casefold().split()),
        )

    def with_rules(self, rules: Sequence[Rule]) -> Clauses:
        """Return the clauses for a deployment with own rules."""
        return replace(self, rules=tuple(rules))

    def in_language(self, code: str) -> Clauses:
        """Return the clauses of another language with the same settings of the deployment."""
        own_notice = self.fixed["notice"]
        is_default = own_notice == load_clauses(self.language).fixed["notice"]
        return load_clauses(code).for_deployment(
            min_people=self.min_people,
            names_people=self.names_people,
            notice="" if is_default else own_notice,
            words=self.words_file,
        )

    def noun(self, kind: str | None) -> str:
        """Return the noun for a product: its kind if that is one plain word, else "product"."""
        if not kind or not _KIND.fullmatch(kind):
            return self.words["product"]
        noun = kind if kind.isupper() and len(kind) <= 4 else kind.lower()
        # "this savings" is no English: "this savings product".
        return f"{noun} {self.words['product']}" if noun.endswith("s") else noun

    def this(self, kind: str | None) -> dict[str, str]:
        """Return the forms of the explained product, like {"this": "this bond", "it": "it"}."""
        forms = self.forms.get(str(kind).casefold(), self.forms["default"])
        return {key: text.format(kind=self.noun(kind)) for key, text in forms.items()}


@cache
def load_clauses(language: str = "en") -> Clauses:
    """Load the clauses of one language.

    Raises:
        BadConfig: there is no such language, or its file lacks a key or has an unknown field.
    """
    file = files("kinfolio.llm_explain.wording").joinpath(f"clauses_{language}.toml")
    if not language.isidentifier() or not file.is_file():
        known = ", ".join(languages())
        raise BadConfig(
            f"there are no clauses for language {quoted(language)}; give one of {known}"
        )
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"clauses_{language}.toml cannot be read: {error}") from error
    return parse_clauses(content, f"clauses_{language}.toml", language)


def languages() -> list[str]:
    """Codes of the languages that have clauses."""
    found = (file.name for file in files("kinfolio.llm_explain.wording").iterdir())
    return sorted(
        name.removeprefix("clauses_").removesuffix(".toml")
        for name in found
        if re.fullmatch(r"clauses_\w+\.toml", name)
    )


def fields_of(text: str) -> set[str]:
    """Names of the fields of a template."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def parse_clauses(content: dict[str, Any], source: str, language: str = "en") -> Clauses:
    """Validate the content of a clause file; `source` is its name in error messages.

    Raises:
        BadConfig: a key is missing, or a field is unknown.
    """
    if missing := [
        f"{section}.{key}"
        for section, keys in _REQUIRED.items()
        for key in keys
        if not _section(content, section).get(key)
    ]:
        raise BadConfig(f"{source} lacks {', '.join(missing)}")
    forms: dict[str, dict[str, str]] = content["this"]
    for kind, table in forms.items():
        if lacking := forms["default"].keys() - table.keys():
            raise BadConfig(f"{source} lacks this.{kind}.{min(lacking)}")
    own = forms["default"].keys() | content["domain"].keys()
    allowed = [(_texts(content[section]), fields) for section, fields in _FIELDS.items()]
    for texts, fields in (*allowed, *_reasons(content["reason"], source)):
        for text in texts:
            if unknown := fields_of(text) - fields - own:
                raise BadConfig(f"{source}: {quoted(text)} has the unknown field {unknown.pop()!r}")
    domain = content["domain"]
    words = re.findall(r"[^\W\d_]+", " ".join(_texts(content)).casefold())
    return Clauses(
        language=language,
        lead=_tuples(content["lead"]),
        next=_tuples(content["next"]),
        against=_tuples(content["against"]),
        reason={kind: _tuples(cases) for kind, cases in content["reason"].items()},
        fixed=dict(content["fixed"]),
        domain=dict(domain),
        words=dict(content["words"]),
        forms=forms,
        people={key: (a, b, c) for key, (a, b, c) in content["people"].items()},
        kinds=dict(content.get("kinds", {})),
        vocabulary=frozenset(words) | load_lexicon(language).known,
    )


def _reasons(table: dict[str, Any], source: str) -> Iterator[tuple[list[str], set[str]]]:
    """Texts of each claim, and the fields that they may have.

    Raises:
        BadConfig: a claim has no clause, or a clause no claim.
    """
    for kind, claim in CLAIMS:
        if not table.get(kind, {}).get(claim):
            raise BadConfig(f"{source} lacks reason.{kind}.{claim}")
    claims = {f"{kind}.{claim}": known for (kind, claim), known in CLAIMS.items()}
    for section, cases in table.items():
        for key, texts in cases.items():
            known = claims.get(f"{section}.{base_claim(key)}")
            if known is None:
                raise BadConfig(f"{source}: reason.{section}.{key} is the clause of no claim")
            fields = {*known.facts, *known.optional, "names", "items"}
            yield texts, fields


def _section(content: dict[str, Any], name: str) -> dict[str, Any]:
    for key in name.split("."):
        content = content.get(key, {})
    return content


def _texts(content: Any) -> list[str]:
    # Any: a TOML value is a text, a list or a table.
    if isinstance(content, str):
        return [content]
    values = content.values() if isinstance(content, dict) else content
    return [text for value in values for text in _texts(value)]


def _tuples(table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(value) for key, value in table.items()}
