"""The check: finds statements of a text that its evidence does not support.

Every name and number must be in the cited evidence, every citation must exist, a reason against
must be stated as one, and no text promises a return or advises to buy. Works on any text and shares
no code with the writers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from kinfolio.errors import BadInput, NotFound
from kinfolio.llm_explain.checking.lexicon import Lexicon, load_lexicon
from kinfolio.llm_explain.checking.parse import NameMasks, ParsedSentence, parse_sentences
from kinfolio.llm_explain.explanation import Explanation, Problem
from kinfolio.os_errors import refusal

MAX_TEXT_BYTES = 100_000
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def check_text(text: str, explanation: Explanation) -> tuple[Problem, ...]:
    """Return the statements that the evidence does not support; empty if the text is grounded.

    In the text `[n]` cites evidence n. Sentences of the explanation without evidence (excluding
    rules, the notice) may be repeated word for word.
    """
    lexicon = load_lexicon(explanation.language)
    names = NameMasks(explanation, lexicon.known)
    sentences = parse_sentences(text, names)
    if not sentences:
        return (Problem(text="", reason="the text has no words"),)
    fixed_texts = [s.text for s in explanation.sentences if not s.evidence]
    fixed = {s.masked for fixed in fixed_texts for s in parse_sentences(fixed, names)}
    is_refused = any(lexicon.refused.search(text) for text in fixed_texts)
    problems: list[Problem] = []
    for sentence in sentences:
        if sentence.masked in fixed or lexicon.notice.fullmatch(sentence.masked):
            continue
        reasons = [
            *_problems_of_words(sentence, lexicon),
            *_problems_of_evidence(sentence, names, lexicon, explanation, is_refused),
        ]
        problems.extend(Problem(text=sentence.text, reason=r) for r in dict.fromkeys(reasons))
    return tuple(problems)


def sentences_of(text: str, explanation: Explanation) -> tuple[ParsedSentence, ...]:
    """Return the sentences of a text with the evidence that each cites."""
    lexicon = load_lexicon(explanation.language)
    return parse_sentences(text, NameMasks(explanation, lexicon.known))


def read_text(file: Path) -> str:
    """Read a text file.

    Raises:
        NotFound: there is no such file.
        BadInput: it is not UTF-8, or longer than `MAX_TEXT_BYTES`.
    """
    try:
        if file.stat().st_size > MAX_TEXT_BYTES:
            raise BadInput(f"{file} has more than {MAX_TEXT_BYTES:,} bytes; give one answer")
        return file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}; give a text file to check") from error
    except (UnicodeDecodeError, OSError) as error:
        damaged = BadInput(f"{file} cannot be read as text in UTF-8; give a text file")
        raise refusal(error, file) or damaged from error


def _problems_of_words(sentence: ParsedSentence, lexicon: Lexicon) -> Iterator[str]:
    """Problems that do not depend on the evidence."""
    text = re.sub(r"\[\d+\]", " ", sentence.masked)
    if found := lexicon.promises.search(text):
        yield f"it promises something ({found.group().strip()!r}), which no evidence can support"
    bare = text.strip(" \t\n“\"'‘-•")
    pieces = re.split(r"[,;:] ", bare)
    for before, piece in (("", bare), *pairwise(pieces)):
        # "many people, 240 of them, hold it": the subject is before the comma.
        if re.search(r"\b(of (them|whom|those)|who .*)$", before) and piece.startswith("hold "):
            continue
        if found := lexicon.advice.search(piece):
            yield f"it tells the reader to act ({found.group().strip()!r}), which is advice"
            break
    if re.search(r"https?:|www\.|@\w|[{}<>]|\[[^\]]*[^\d\]][^\]]*\]", text):
        yield "it contains markup or an address, which is no part of an explanation"
    if re.search(r"[“\"«„][^”\"»]*[”\"»]", text):
        yield "it quotes something that is in no evidence"
    yield from _problems_of_vocabulary(text, lexicon)


def _problems_of_vocabulary(text: str, lexicon: Lexicon) -> Iterator[str]:
    tokens = list(_WORD.finditer(text))
    unknown = []
    for token in tokens:
        word, before = token.group(), text[: token.start()]
        lower = word.casefold().replace("’", "'")
        is_known = lexicon.is_known(lower)
        is_first = not _WORD.search(before) or before.endswith(": ")
        # Where all nouns have a capital (capitals = "*"), a known word may have one anywhere.
        may_be_capital = word in lexicon.capitals or (
            is_known and (is_first or "*" in lexicon.capitals)
        )
        # The kind of product, like "this bond" or "this ETF".
        is_noun = (
            bool(lexicon.this)
            and before.casefold().endswith(lexicon.this)
            and (word.islower() or len(word) <= 4)
        )
        if lower in lexicon.persons:
            yield f"{word!r} mentions a person who is in no evidence"
        elif is_noun:
            continue
        elif lower in lexicon.topics:
            yield f"{word!r} is a claim that no evidence supports"
        elif word[0].isupper() and not may_be_capital:
            yield f"{word!r} has the form of a name, and is in no evidence"
        elif not is_known:
            unknown.append(word)
    if unknown and lexicon.is_ascii and any(not word.isascii() for word in unknown):
        yield f"it cannot be checked: {unknown[0]!r} is not an English word"
    elif len(unknown) > max(1, lexicon.most_unknown * len(tokens)) or (
        unknown and not lexicon.most_unknown
    ):
        yield f"it states more than evidence can support: {', '.join(unknown[:5])}"


def _problems_of_evidence(
    sentence: ParsedSentence,
    names: NameMasks,
    lexicon: Lexicon,
    explanation: Explanation,
    is_refused: bool,
) -> Iterator[str]:
    evidence = {piece.id: piece for piece in explanation.evidence}
    if not sentence.cited:
        yield "it cites no evidence"
        return
    missing = [number for number in sentence.cited if number not in evidence]
    if missing:
        yield f"there is no evidence [{missing[0]}]"
        return
    if is_refused and lexicon.recommends.search(sentence.masked):
        yield "it recommends a product that the explanation does not"
    before = ""
    for part in sentence.parts:
        cited = [evidence[number] for number in part.cited]
        yield from lexicon.table.problems_of_part(
            part.text, before, cited, explanation.evidence, names
        )
        before += part.text + " "
