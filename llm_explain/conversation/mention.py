"""Which products a line mentions: by id, by name, by position in the last list, or as "it".

Names are found first: a number or an ordinal inside a name, as in "Toy Box 2", is no position.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.checking.lexicon import load_lexicon
from kinfolio.llm_explain.checking.parse import is_ordinary
from kinfolio.llm_explain.display import flat_name

NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten".split(), start=1
    )
}
_SHORT_LINE_WORDS = 3
"""A line as short as "why?" or "and why not?" is about the last product."""
_ORDINALS = {
    word: number
    for number, words in enumerate(
        [
            *("first top 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th"),
            *("seventh 7th", "eighth 8th", "ninth 9th", "tenth 10th"),
        ],
        start=1,
    )
    for word in words.split()
} | {"last": -1}
_BEFORE_NUMBER = r"(?:number|no\.?|nr\.?|place|rank|#)"
_BOTH = re.compile(
    r"\b(?:(?:the )?(?:top|first) (?:two|2)|these(?: two)?|those(?: two)?|the two(?: of them)?"
    r"|both)\b",
    re.IGNORECASE,
)
_IT = re.compile(r"\b(?:this|that|it)\b", re.IGNORECASE)
_POSITION = re.compile(
    rf"\b{_BEFORE_NUMBER}\s*#?(?P<stated>\d{{1,9}}|{'|'.join(NUMBER_WORDS)})\b"
    rf"|\b(?P<ordinal>{'|'.join(_ORDINALS)})\b(?: one\b)?"
    r"|(?<![\w.=\[{])#?(?P<digits>\d{1,3})(?![\w%=\]}]|\.\d)"
    rf"|\b(?P<number>{'|'.join(NUMBER_WORDS)})\b",
    re.IGNORECASE,
)
_OWN_HOLDINGS = re.compile(
    r"\b(?:of|in|among) (?:my (?:holdings|products|portfolio)|mine"
    r"|(?:what|the ones|those) i (?:hold|own|have))\b",
    re.IGNORECASE,
)
"""A position among the user's holdings is not one in the last list."""
_AFTER_ONE = re.compile(r" (?:and|or|with|to|versus|vs|against)\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(this|that|it|its|one)\b", re.IGNORECASE)
_ABOUT = frozenset(
    "why not is isn't and or what about how explain compare with similar to like never show me "
    "again please was did didn't you recommend do don't tell dismiss remove".split()
)
"""Words around a name that is an ordinary word, in lines like "why bond?"."""
_NO_NAMES = frozenset(_ORDINALS) | {"this", "that", "it", "its", "these", "those", "both", "one"}
"""Words that are a name only in quotes or with a capital."""


class ProductRef(NamedTuple):
    """A product by id and name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Mention:
    """The product that a line mentions."""

    product: ProductRef | None
    missing_rank: int | None = None
    """A position beyond the end of the list."""
    choices: tuple[ProductRef, ...] = ()
    """Products that the words may mean, where the line does not say which of them."""


@dataclass(frozen=True, slots=True)
class Context:
    """What decides which product a word means."""

    graph: Graph
    shown: Sequence[ProductRef] = ()
    """The last list."""
    last: ProductRef | None = None
    """The product of the last answer."""
    is_answer: bool = False
    """Whether the line answers the question which product is meant."""
    is_choice: bool = False
    """Whether `shown` are the products of one name that this question listed with their ids."""
    prefers: Callable[[ProductRef], bool] | None = None
    """Of several products of one name, those that a line like "if I sold it" means."""


class _Span(NamedTuple):
    """A place in a line and the products that it may mean; several if a name is not unique."""

    start: int
    end: int
    products: tuple[ProductRef, ...]
    id: str | None
    """The id that the words are, besides being a name."""


def find_mention(line: str, context: Context) -> Mention:
    """Return the one product that a line mentions: the first that it names or places."""
    found = next(iter(_mentions(line, context)), None)
    if found is not None:
        return found
    is_short = len(line.split()) <= _SHORT_LINE_WORDS
    return Mention(context.last if is_short or _PRONOUN.search(line) else None)


def find_mentions(line: str, context: Context, max_count: int = 5) -> tuple[Mention, ...]:
    """Return all products that a line mentions, in its order: "the first and Amber Fund"."""
    found = [one for one in _mentions(line, context, is_one=False) if one.missing_rank is None]
    rest = _blanked(line, _spans(line, context))
    if context.last is not None and len(found) < 2 and _IT.search(rest):
        found.append(Mention(context.last))
    return tuple(dict.fromkeys(found))[:max_count]


def mask_names(line: str, context: Context, mask: str = "Fund") -> str:
    """Return a line with one word for each product that it names."""
    for start, end, *_ in sorted(_spans(line, context), reverse=True):
        line = f"{line[:start]}{mask}{line[end:]}"
    return line


def _mentions(line: str, context: Context, *, is_one: bool = True) -> list[Mention]:
    """Return what a line mentions by name, id or position, in its order."""
    spans = _spans(line, context)
    is_own = bool(_OWN_HOLDINGS.search(line))
    shown = () if is_own else context.shown
    found = [(span.start, _choose(span, context, line)) for span in spans]
    rest = _blanked(line, spans)
    if not is_one and shown and len(found) < 2 and (both := _BOTH.search(rest)):
        found += [(both.start() + i, Mention(product)) for i, product in enumerate(shown[:2])]
        rest = rest[: both.start()] + "\0" * (both.end() - both.start()) + rest[both.end() :]
    if shown or not (found or is_own):
        found += _positions(rest, shown)
    return [mention for _, mention in sorted(found, key=lambda pair: pair[0])]


def _positions(line: str, shown: Sequence[ProductRef]) -> Iterator[tuple[int, Mention]]:
    """Yield each place in a list that a line names, and where it names it."""
    for match in _POSITION.finditer(line):
        before, after = line[: match.start()], line[match.end() :]
        word = next(word for word in match.groups() if word).casefold()
        # "which one" is no position; "one or two" is.
        if match["number"] and word == "one" and not _AFTER_ONE.match(after):
            continue
        rank = _ORDINALS.get(word) or NUMBER_WORDS.get(word, 0)
        rank = int(word) if word.isdecimal() else rank
        index = len(shown) if rank == -1 else rank
        if 0 < index <= len(shown):
            yield match.start(), Mention(shown[index - 1])
        # A bare number is a position only within the list.
        elif match["stated"] or (match["ordinal"] and (shown or before.endswith("the "))):
            yield match.start(), Mention(None, missing_rank=rank)


def _choose(span: _Span, context: Context, line: str) -> Mention:
    """Return the product that a name means: of several, the one on display, else none."""
    products, word = span.products, line[span.start : span.end]
    by_id = tuple(one for one in products if one.id == span.id)
    shown_ids = {one.id for one in context.shown}
    shown = tuple(one for one in products if one.id in shown_ids)
    if context.is_choice and by_id:
        products = by_id
    elif word.isdecimal() and 0 < int(word) <= len(context.shown):
        place = context.shown[int(word) - 1]
        # An id that is a number, and not on display, is a position.
        is_place = by_id == products and not shown
        products = (place,) if is_place else tuple(dict.fromkeys([*products, place]))
    elif len(products) > 1:
        if context.prefers is not None:
            products = tuple(filter(context.prefers, products)) or products
        # An id that is also another product's name on display may mean either.
        if not (shown and by_id and by_id[0] not in shown):
            products = (products if len(products) == 1 else shown) or by_id or products
    return Mention(products[0]) if len(products) == 1 else Mention(None, choices=products)


def _blanked(line: str, spans: list[_Span]) -> str:
    for start, end, *_ in spans:
        line = line[:start] + "\0" * (end - start) + line[end:]
    return line


def _ids(line: str) -> list[str]:
    """Return the words that may be ids, also without a full stop or colon at the end."""
    words = re.findall(r"[^\s?!,;\"“”]+", line)
    return [word.rstrip(".:") for word in words] + words


def _spans(line: str, context: Context) -> list[_Span]:
    """Return where a line names products; a name inside a longer one is none."""
    known = {one.id: one for one in (*context.shown, *([context.last] if context.last else []))}
    rows = context.graph.read("chat_products", ids=_ids(line), line=line.lower(), shown=list(known))
    ids = {row["product"] for row in rows if row["is_id"]}
    products = {row["product"]: ProductRef(row["product"], row["name"]) for row in rows} | known
    # Names on display are on one line and cut, unlike those in the graph.
    names = {
        (form, one.id) for one in products.values() for form in (one.name, flat_name(one.name))
    }
    forms = [(one, one) for one in ids] + sorted(names, key=lambda form: (-len(form[0]), form))
    found: dict[tuple[int, int], list[str]] = {}
    for word, product in sorted(forms, key=lambda form: -len(form[0])):
        for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", line, re.IGNORECASE):
            start, end = match.span()
            is_free = all(end <= other or start >= stop for other, stop in found)
            is_place = end > start and (is_free or (start, end) in found)
            if is_place and _is_meant(word, line, match, context):
                found.setdefault((start, end), []).append(product)
    return [
        _Span(
            *place,
            tuple(products[one] for one in dict.fromkeys(same)),
            next((one for one in same if one in ids and one == line[slice(*place)]), None),
        )
        for place, same in sorted(found.items())
    ]


def _is_meant(form: str, line: str, match: re.Match[str], context: Context) -> bool:
    """Return whether a name or id is meant where it consists of ordinary words or is a number.

    It is in quotes, inside a line with a capital, or after words like "why not" only.
    """
    word, before, after = match[0], line[: match.start()].rstrip(), line[match.end() :]
    if word.isdecimal():
        return not re.search(rf"{_BEFORE_NUMBER}$", before, re.IGNORECASE)
    is_ordinal = word.casefold() in _NO_NAMES or word.casefold() in NUMBER_WORDS
    if is_ordinal and re.search(rf"\b(?:the|{_BEFORE_NUMBER})$", before, re.IGNORECASE):
        return False
    if not is_ordinary(word, load_lexicon().known) or re.search(r"\d", word):
        return True
    if re.search(r"[\"“'‘]$", before) and re.match(r"[\"”'’]", after):
        return True
    if word[:1].isupper() and word == form and (before or " " in word):
        return True
    around = re.findall(r"[\w']+", f"{before} {after}".casefold().replace("’", "'"))
    return not is_ordinal and (bool(around) or context.is_answer) and _ABOUT.issuperset(around)
