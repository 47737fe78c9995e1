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
from kinfolio.llm_explain.conversation.language.folding import content_words, find_folded, parts_of
from kinfolio.llm_explain.conversation.language.patterns import (
    NUMBER_WORDS,
    ORDINALS,
    ordinary_words,
    pattern,
    words_of,
)
from kinfolio.llm_explain.display import flat_name

_MAX_CLOSE = 400
_SHORT_LINE_WORDS = 3
"""A line as short as "why?" or "and why not?" is about the last product."""
_BEFORE_NUMBER = f"(?:{pattern('before_number').pattern})"
_POSITION = re.compile(
    rf"\b{_BEFORE_NUMBER}\s*#?(?P<stated>\d{{1,9}}|{'|'.join(NUMBER_WORDS)})\b"
    rf"|\b(?P<ordinal>{'|'.join(sorted(ORDINALS, key=len, reverse=True))})\b(?: one\b)?"
    r"|(?<![\w.=\[{])#?(?P<digits>\d{1,3})(?![\w%=\]}]|\.\d)"
    rf"|\b(?P<number>{'|'.join(NUMBER_WORDS)})\b",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(ORDINALS) | frozenset(
    "this that it its these those both one das dies diese es beide eins".split()
)
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
    is_short = len(line.split()) <= _SHORT_LINE_WORDS and not _may_name(line)
    return Mention(
        context.last if is_short or pattern("pronoun", is_word=True).search(line) else None
    )


def _may_name(line: str) -> bool:
    """Return whether a short line has a word that may be a part of a name, as in "why Ambr?"."""
    words = re.findall(r"[^\W\d_]+", line.casefold())
    return any(len(word) > 3 and word not in ordinary_words() for word in words)


def find_mentions(line: str, context: Context, max_count: int = 5) -> tuple[Mention, ...]:
    """Return all products that a line mentions, in its order: "the first and Amber Fund"."""
    found = [one for one in _mentions(line, context, is_one=False) if one.missing_rank is None]
    rest = _blanked(line, _spans(line, context))
    if context.last is not None and len(found) < 2 and pattern("it", is_word=True).search(rest):
        found.append(Mention(context.last))
    return tuple(dict.fromkeys(found))[:max_count]


def choice_of(line: str) -> int | None:
    """Return the place, from 0, of a short answer to a question: "1", "the second"."""
    if len(line.split()) > _SHORT_LINE_WORDS or not (match := _POSITION.search(line)):
        return None
    word = next(word for word in match.groups() if word).casefold()
    rank = ORDINALS.get(word) or NUMBER_WORDS.get(word) or int(word)
    return rank - 1 if rank > 0 else None


def mask_names(line: str, context: Context, mask: str = "Fund") -> str:
    """Return a line with one word for each product that it names."""
    for start, end, *_ in sorted(_spans(line, context), reverse=True):
        line = f"{line[:start]}{mask}{line[end:]}"
    return line


def _mentions(line: str, context: Context, *, is_one: bool = True) -> list[Mention]:
    """Return what a line mentions by name, id or position, in its order."""
    spans = _spans(line, context)
    is_own = bool(pattern("own_holdings", is_word=True).search(line))
    shown = () if is_own else context.shown
    found = [(span.start, _choose(span, context, line)) for span in spans]
    rest = _blanked(line, spans)
    if (
        not is_one
        and shown
        and len(found) < 2
        and (both := pattern("both", is_word=True).search(rest))
    ):
        found += [(both.start() + i, Mention(product)) for i, product in enumerate(shown[:2])]
        rest = rest[: both.start()] + "\0" * (both.end() - both.start()) + rest[both.end() :]
    neighbours = list(_neighbours(rest, shown, context.last))
    found += neighbours
    if not neighbours and (shown or not (found or is_own)):
        found += _positions(rest, shown)
    return [mention for _, mention in sorted(found, key=lambda pair: pair[0])]


def _neighbours(
    line: str, shown: Sequence[ProductRef], last: ProductRef | None
) -> Iterator[tuple[int, Mention]]:
    """Yield the products before or after the last one in the list: "the one before"."""
    ids = [one.id for one in shown]
    if last is None or last.id not in ids:
        return
    for name, step in (("before", -1), ("after", 1)):
        place = ids.index(last.id) + step
        if (match := pattern(name, is_word=True).search(line)) and 0 <= place < len(ids):
            yield match.start(), Mention(shown[place])


def _positions(line: str, shown: Sequence[ProductRef]) -> Iterator[tuple[int, Mention]]:
    """Yield each place in a list that a line names, and where it names it."""
    for match in _POSITION.finditer(line):
        before, after = line[: match.start()], line[match.end() :]
        word = next(word for word in match.groups() if word).casefold()
        # "which one" is no position; "one or two" is.
        if (
            match["number"]
            and word == "one"
            and not pattern("after_one", is_word=True).match(after.lstrip())
        ):
            continue
        rank = ORDINALS.get(word) or NUMBER_WORDS.get(word, 0)
        rank = int(word) if word.isdecimal() else rank
        index = len(shown) + 1 + rank if rank < 0 else rank
        if 0 < index <= len(shown):
            yield match.start(), Mention(shown[index - 1])
        # A bare number is a position only within the list.
        elif match["stated"] or (
            match["ordinal"] and (shown or re.search(r"\b(?:the|d(?:as|ie|er|en)) $", before))
        ):
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
    spans = [
        _Span(
            *place,
            tuple(products[one] for one in dict.fromkeys(same)),
            next((one for one in same if one in ids and one == line[slice(*place)]), None),
        )
        for place, same in sorted(found.items())
    ]
    return spans or _folded_spans(line, context)


def _folded_spans(line: str, context: Context) -> list[_Span]:
    """Return where a line names products with other accents, quotes or blanks than the graph."""
    words = content_words(line)
    if not words:
        return []
    rows = context.graph.read("facts_close_names", parts=parts_of(words), most=_MAX_CLOSE)
    found: dict[tuple[int, int], list[ProductRef]] = {}
    for row in rows:
        if (place := find_folded(line, row["name"])) is not None:
            found.setdefault(place, []).append(ProductRef(row["product"], row["name"]))
    longest = sorted(found, key=lambda place: place[0] - place[1])[:1]
    return [_Span(*place, tuple(found[place]), None) for place in longest]


def _is_meant(form: str, line: str, match: re.Match[str], context: Context) -> bool:
    """Return whether a name or id is meant where it consists of ordinary words or is a number.

    It is in quotes, inside a line with a capital, or after words like "why not" only.
    """
    word, before, after = match[0], line[: match.start()].rstrip(), line[match.end() :]
    if word.isdecimal():
        return not re.search(rf"{_BEFORE_NUMBER}$", before, re.IGNORECASE)
    is_ordinal = word.casefold() in _NO_NAMES or word.casefold() in NUMBER_WORDS
    if is_ordinal and re.search(
        rf"\b(?:the|d(?:as|ie|er|en)|{_BEFORE_NUMBER})$", before, re.IGNORECASE
    ):
        return False
    if not is_ordinary(word, load_lexicon().known) or re.search(r"\d", word):
        return True
    if re.search(r"[\"“'‘]$", before) and re.match(r"[\"”'’]", after):
        return True
    if word[:1].isupper() and word == form and (before or " " in word):
        return True
    around = re.findall(r"[\w']+", f"{before} {after}".casefold().replace("’", "'"))
    return (
        not is_ordinal
        and (bool(around) or context.is_answer)
        and words_of("around_name").issuperset(around)
    )
