"""Words without their accents, quotes and case, to find names that are written otherwise."""

from __future__ import annotations

import re
import unicodedata

from kinfolio.llm_explain.conversation.language.patterns import ordinary_words

_PART = 3
_MAX_WORDS = 12


def fold(text: str) -> str:
    """Return a text in lower case without accents, quotes and punctuation, with single blanks."""
    return " ".join(re.findall(r"\w+", "".join(map(_fold_sign, text))))


def find_folded(line: str, name: str) -> tuple[int, int] | None:
    """Return where a line has a name of several words, whatever accents, quotes and blanks."""
    words = fold(name).split()
    if len(words) < 2:
        return None
    pieces = [_fold_sign(sign) for sign in line]
    places = [place for place, piece in enumerate(pieces) for _ in piece]
    words_of_name = r"\W+".join(map(re.escape, words))
    found = re.search(rf"(?<!\w){words_of_name}(?!\w)", "".join(pieces))
    if found is None:
        return None
    end = places[found.end() - 1] + 1
    # A combining accent, or a bracket of the name, belongs to it.
    while end < len(line) and (
        unicodedata.combining(line[end]) or (line[end] in ")]" and name[-1:] in ")]")
    ):
        end += 1
    return places[found.start()], end


def content_words(line: str) -> list[str]:
    """Return the folded words of a line that may belong to a name."""
    known = {fold(word) for word in ordinary_words()}
    words = [word for word in fold(line).split() if len(word) >= _PART and not word.isdecimal()]
    return [word for word in words if word not in known][:_MAX_WORDS]


def parts_of(words: list[str]) -> list[str]:
    """Return the beginnings and ends of words, by which names are looked up."""
    return sorted({part for word in words for part in (word[:_PART], word[-_PART:])})


def _fold_sign(sign: str) -> str:
    plain = unicodedata.normalize("NFKD", "ss" if sign == "ß" else sign)
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()
