"""The check: finds what a text says and its evidence does not.

Every name and number must stand in the cited evidence, every citation must exist, what speaks
against may not be told as a reason for, and nobody is promised a return or told to buy. Works on
any text, from a writer of ours or from outside, and shares no code with the writers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from kinfolio.errors import BadConfig, BadInput, NotFound
from kinfolio.llm_explain.checking.claims import problems_of_part
from kinfolio.llm_explain.checking.parse import Names, Read, read
from kinfolio.llm_explain.checking.rule_table import Table, read_table
from kinfolio.llm_explain.explanation import Explanation, Problem

LONGEST_TEXT_BYTES = 100_000
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """What the check knows of a language."""

    known: frozenset[str]
    topics: frozenset[str]
    persons: frozenset[str]
    capitals: frozenset[str]
    endings: tuple[str, ...]
    this: str
    most_unknown: float
    numbers: dict[str, int]
    promises: re.Pattern[str]
    advice: re.Pattern[str]
    notice: re.Pattern[str]
    refused: re.Pattern[str]
    recommends: re.Pattern[str]
    table: Table | None
    """Claims by table; None for English, whose claims are rooms of code."""


@cache
def load_words(language: str = "en") -> Words:
    """What the check knows of a language, read once.

    Raises:
        BadConfig: there is no such language, or its file lacks or misspells something.
    """
    name = f"check_{language}.toml"
    file = files("kinfolio.llm_explain.checking").joinpath(name)
    if not file.is_file():
        raise BadConfig(f"there is no {name}, so that nothing in that language can be checked")
    content = tomllib.loads(file.read_text("utf-8"))
    try:
        return Words(
            known=frozenset(" ".join((content["known"], *content["numbers"])).casefold().split()),
            topics=frozenset(content["topics"].casefold().split()),
            persons=frozenset(content["persons"].casefold().split()),
            capitals=frozenset(content["capitals"].split()),
            endings=tuple(content["endings"]),
            this=content["this"],
            most_unknown=content["most_unknown"],
            numbers=content["numbers"],
            promises=re.compile("|".join(content["promises"]), re.IGNORECASE),
            advice=re.compile("|".join(content["advice"]), re.IGNORECASE),
            notice=re.compile(content["notice"], re.IGNORECASE),
            refused=re.compile(content["refused"]),
            recommends=re.compile(content["recommends"], re.IGNORECASE),
            table=read_table(content) if "rule" in content else None,
        )
    except KeyError as error:
        raise BadConfig(f"{name} lacks {error.args[0]}") from error
    except re.error as error:
        raise BadConfig(f"{name} has a pattern that cannot be read: {error}") from error


def check_text(text: str, explanation: Explanation) -> tuple[Problem, ...]:
    """What the text says that the explanation's evidence does not; empty when it is grounded.

    Args:
        text: any text about why the product has its score, with `[n]` citing evidence n.
        explanation: its evidence says what may be said, in its language; its sentences without
            evidence (a rule's verdict, the notice) may be repeated word for word.
    """
    words = load_words(explanation.language)
    names = Names(explanation, words.known)
    sentences = read(text, names)
    if not sentences:
        return (Problem(text="", reason="the text says nothing"),)
    fixed = {
        sentence.masked
        for own in explanation.sentences
        if not own.evidence
        for sentence in read(own.text, names)
    }
    is_refused = any(
        words.refused.search(sentence.text)
        for sentence in explanation.sentences
        if not sentence.evidence
    )
    problems: list[Problem] = []
    for sentence in sentences:
        if sentence.masked in fixed or words.notice.fullmatch(sentence.masked):
            continue
        reasons = [
            *_problems_of_words(sentence, words),
            *_problems_of_evidence(sentence, names, words, explanation, is_refused),
        ]
        problems.extend(Problem(text=sentence.text, reason=r) for r in dict.fromkeys(reasons))
    return tuple(problems)


def sentences_of(text: str, explanation: Explanation) -> tuple[Read, ...]:
    """The sentences of a text with the evidence that each cites."""
    return read(text, Names(explanation, load_words(explanation.language).known))


def read_text(file: Path) -> str:
    """The text in a file.

    Raises:
        NotFound: there is no such file.
        BadInput: it holds no text, or more than anyone would read.
    """
    try:
        if file.stat().st_size > LONGEST_TEXT_BYTES:
            raise BadInput(f"{file} has more than {LONGEST_TEXT_BYTES:,} bytes; give one answer")
        return file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}; give a text file to check") from error
    except (UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{file} cannot be read as text in UTF-8; give a text file") from error


def _problems_of_words(sentence: Read, words: Words) -> Iterator[str]:
    """Problems that no evidence could mend."""
    text = re.sub(r"\[\d+\]", " ", sentence.masked)
    if found := words.promises.search(text):
        yield f"it promises something ({found.group().strip()!r}), which no evidence can carry"
    bare = text.strip(" \t\n“\"'‘-•")
    pieces = re.split(r"[,;:] ", bare)
    for ahead, piece in (("", bare), *pairwise(pieces)):
        # "many people, 240 of them, hold it": who holds stands before the comma.
        if re.search(r"\b(of (them|whom|those)|who .*)$", ahead) and piece.startswith("hold "):
            continue
        if found := words.advice.search(piece):
            yield f"it tells the reader what to do ({found.group().strip()!r}), which is advice"
            break
    if re.search(r"https?:|www\.|@\w|[{}<>]|\[[^\]]*[^\d\]][^\]]*\]", text):
        yield "it holds markup or an address, which is no part of an explanation"
    if found := re.search(r"[“\"«„]([^”\"»]*)[”\"»]", text):
        yield "it quotes something that stands in no evidence"
    tokens = list(_WORD.finditer(text))
    unknown = []
    for token in tokens:
        word, ahead = token.group(), text[: token.start()]
        lower = word.casefold().replace("’", "'")
        is_known = _is_known(lower, words)
        starts = not _WORD.search(ahead) or ahead.endswith(": ")
        # The kind of product, like "this bond" or "this ETF".
        is_noun = (
            bool(words.this)
            and ahead.casefold().endswith(words.this)
            and (word.islower() or len(word) <= 4)
        )
        if lower in words.persons:
            yield f"{word!r} speaks of a person no evidence knows"
        elif is_noun:
            continue
        elif lower in words.topics:
            yield f"{word!r} is a claim no evidence carries"
        elif word[0].isupper() and not _may_have_capital(word, words, is_known, starts):
            yield f"{word!r} looks like a name, and stands in no evidence"
        elif not is_known:
            unknown.append(word)
    if unknown and words.table is None and any(not word.isascii() for word in unknown):
        yield f"it cannot be checked: {unknown[0]!r} is not an English word"
    elif len(unknown) > max(1, words.most_unknown * len(tokens)) or (
        unknown and not words.most_unknown
    ):
        yield f"it says more than evidence can carry: {', '.join(unknown[:5])}"


def _problems_of_evidence(
    sentence: Read, names: Names, words: Words, explanation: Explanation, is_refused: bool
) -> Iterator[str]:
    evidence = {piece.id: piece for piece in explanation.evidence}
    if not sentence.cited:
        yield "it cites no evidence"
        return
    missing = [number for number in sentence.cited if number not in evidence]
    if missing:
        yield f"there is no evidence [{missing[0]}]"
        return
    if is_refused and words.recommends.search(sentence.masked):
        yield "it recommends a product that the explanation does not"
    before = ""
    for part in sentence.parts:
        cited = [evidence[number] for number in part.cited]
        told = explanation.evidence
        if words.table is not None:
            yield from words.table.problems_of_part(part.text, before, cited, told, names)
        else:
            yield from problems_of_part(part.text, before, cited, told, names, words.numbers)
        before += part.text + " "


def _may_have_capital(word: str, words: Words, is_known: bool, starts: bool) -> bool:
    # Where all nouns have one (capitals = "*"), a known word may have one anywhere.
    return word in words.capitals or (is_known and (starts or "*" in words.capitals))


def _is_known(word: str, words: Words) -> bool:
    parts = [word, *word.replace("'", "-").split("-")]
    if word in words.known or (len(parts) > 2 and all(p in words.known for p in parts[1:] if p)):
        return True
    stems = (word.removesuffix(ending) for ending in words.endings)
    return any(stem != word and stem in words.known for stem in stems)
