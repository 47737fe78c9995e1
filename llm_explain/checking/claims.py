"""What one part of a sentence claims, held against the evidence it cites.

Names, holdings and ties here; numbers and direction in modules of their own. English only;
facts are those of `paths.py`, whose fact `claim` says what a piece can carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kinfolio.llm_explain.checking.direction import problems_of_direction, problems_of_weight
from kinfolio.llm_explain.checking.number_claims import problems_of_numbers, problems_of_parts
from kinfolio.llm_explain.checking.parse import NameMasks
from kinfolio.llm_explain.checking.unsupported_claims import problems_of_deeds
from kinfolio.llm_explain.explanation import Evidence

_PARTICIPLE = re.compile(
    r"\s*(\w+\s+)?(written|said|reviewed|rated|chosen|mentioned|followed|trusted|replied)\b",
    re.IGNORECASE,
)
_HOLDS = r"(?:hold|holds|held|own|owns|owned|have|has|had|bought|possess|possesses)"


def problems_of_part(
    text: str,
    before: str,
    cited: Sequence[Evidence],
    told: Sequence[Evidence],
    names: NameMasks,
    number_words: dict[str, int],
) -> Iterator[str]:
    """What the part says and the evidence it cites does not.

    Args:
        text: the part, names masked.
        before: what the sentence said before it.
        cited: the evidence cited right after the part.
        told: all evidence of the explanation.
        names: the names behind the masks.
        number_words: words for numbers.
    """
    facts = [dict(piece.facts) for piece in cited]
    yield from _names(text, cited, names)
    yield from _all_told(before + text, cited, names)
    yield from problems_of_numbers(text, cited, facts, number_words)
    yield from problems_of_parts(text, facts)
    yield from _holdings(text, cited, names)
    yield from _people(text, cited, facts)
    yield from _subjects(text, cited, facts)
    yield from problems_of_deeds(text, cited)
    yield from problems_of_direction(text, before, cited)
    yield from problems_of_weight(text, cited, told)


def _names(text: str, cited: Sequence[Evidence], names: NameMasks) -> Iterator[str]:
    numbers = {piece.id for piece in cited}
    for char in text:
        if names.is_mask(char) and not names.is_product(char):  # noqa: SIM102
            if not names.evidence(char) & numbers:
                where = min(names.evidence(char))
                yield f"{names.of(char)!r} stands in evidence [{where}], not in what is cited"


def _all_told(text: str, cited: Sequence[Evidence], names: NameMasks) -> Iterator[str]:
    """Where several pieces are cited at once, each must be spoken of."""
    if len(cited) < 2:
        return
    told = {number for char in text if names.is_mask(char) for number in names.evidence(char)}
    for piece in cited:
        facts = dict(piece.facts)
        if "name" in facts and piece.kind != "text" and facts.get("claim") != "itself":
            is_told = piece.id in told
        else:
            is_told = bool(re.search(_SPOKEN_OF[piece.kind], text, re.IGNORECASE))
        if not is_told:
            yield f"evidence [{piece.id}] is cited, but nothing of it is told"


_SPOKEN_OF = {
    "holding": r"\b(hold|holds|own|have)\b",
    "tie": r"\b(someone|somebody|person|people|friends?|family|colleagues?|follow\w*|tied?)\b",
    "text": r"\b(wrote|written|words?|reviews?)\b",
    "popularity": r"\b(people|holders|others|users|investors|popular\w*|widely|held)\b",
    "similar": r"\b(similar|like|close)\b",
}


def _holdings(text: str, cited: Sequence[Evidence], names: NameMasks) -> Iterator[str]:
    held = {piece.id for piece in cited if piece.kind == "holding"}
    owns_it = any(dict(piece.facts).get("claim") == "itself" for piece in cited)
    between = r"(?:(?:already|also|both|now|still|have|do)\s+)*"
    after = rf"\byou(?:['’]ve)?\s+{between}{_HOLDS}\b([^,;:.]*)"
    for match in re.finditer(after, text, re.IGNORECASE):
        # "someone who follows you holds it": the one who holds is another.
        if re.search(
            r"\b(follows?|trusts?|mentioned|to|with|like|than)\s*$", text[: match.start()]
        ):
            continue
        if _PARTICIPLE.match(match.group(1)):
            continue
        objects = [char for char in match.group(1) if names.is_mask(char)]
        is_it = re.match(r"\s*(already |also )?(it|this|that|some of it)\b", match.group(1))
        if (is_it or any(names.is_product(c) for c in objects[:1])) and not owns_it:
            before = text[: match.start()]
            if not (
                is_it
                and re.search(r"[\ue001-\uf8ff][^\ue000]*$", before)
                and "this" not in match.group(1)
            ):
                yield "it says that you hold the product, and no evidence does"
        for char in objects:
            if not names.is_product(char) and not names.evidence(char) & held:
                yield f"it says that you hold {names.of(char)!r}, and no cited evidence does"
        if (
            not objects
            and not is_it
            and re.match(r"\s*(\d+|many|several|lots|most|a lot)\b", match.group(1))
        ):
            yield "it says how much you hold, and no cited evidence does"
    for match in re.finditer(
        rf"([\ue000-\uf8ff]),? (?:that|which)? ?you (?:also )?{_HOLDS}\b", text
    ):
        if not names.is_product(match.group(1)) and not names.evidence(match.group(1)) & held:
            yield f"it says that you hold {names.of(match.group(1))!r}, and no cited evidence does"
    for match in re.finditer(
        r"\byour (?:holding (?:of|in) )?([\ue000-\uf8ff])", text, re.IGNORECASE
    ):
        is_product = names.is_product(match.group(1))
        if (is_product and not owns_it) or (
            not is_product and not names.evidence(match.group(1)) & held
        ):
            yield f"it says that {names.of(match.group(1))!r} is yours, and no cited evidence does"


_RELATIONS = {
    r"\bfriends?\b": "friend",
    r"\b(family|relatives?)\b": "family",
    r"\bcolleagues?\b": "colleague",
    r"\byou (also )?follow\b": "follows_out",
    r"\bfollows? you\b|\byour followers?\b": "follows_in",
    r"\byou (also )?trust\b": "trusts_out",
    r"\btrusts? you\b": "trusts_in",
    r"\byou mentioned\b": "mentioned_out",
    r"\bmentioned you\b": "mentioned_in",
    r"\byou replied\b": "replied_to_out",
    r"\breplied to you\b": "replied_to_in",
}


def _people(text: str, cited: Sequence[Evidence], facts: list[dict[str, Any]]) -> Iterator[str]:
    low = text.casefold()
    ties = [fact for piece, fact in zip(cited, facts, strict=True) if piece.kind == "tie"]
    claims = {fact.get("claim") for fact in facts}
    for pattern, key in _RELATIONS.items():
        if re.search(pattern, low) and not any(
            str(tie.get("tie", "")).startswith(key) for tie in ties
        ):
            yield "it tells of a tie that no cited evidence has"
            break
    if not ties and re.search(r"\b(someone|somebody|a person|tied to you|you are tied)\b", low):
        yield "it tells of a person, and no cited evidence has a tie"
    if ties and len(ties) == len(facts):
        if claims <= {"near", "against"} and re.search(rf"\b{_HOLDS}\b", low):
            yield "it says that somebody holds it, and no cited evidence does"
        if "rated" not in claims and re.search(r"\b(rat(ed|es|ing|ings)|stars?)\b", low):
            yield "it tells of a rating that no cited evidence has"
    counts = claims & {
        "together",
        "few",
        "many",
        "fewest",
        "against_many",
        "general",
        "against_general",
    } or "holders" in " ".join(key for fact in facts for key in fact)
    crowd = re.search(
        r"\b(people|others|holders|investors|users|members|readers|everyone|crowd)\b", low
    )
    if not ties and not counts and crowd:
        yield f"{crowd.group()!r} are counted in no cited evidence"
    is_popular = [f for p, f in zip(cited, facts, strict=True) if p.kind == "popularity"]
    if any(f.get("claim") in ("few", "fewest") for f in is_popular) and re.search(
        r"\b(popular|widely|many|favou?rite)\b",
        re.sub(r"(not|less|isn't) (very |so |that |as )?(popular|widely|many)", "", low),
    ):
        yield "it calls widely held what few hold"


def _subjects(text: str, cited: Sequence[Evidence], facts: list[dict[str, Any]]) -> Iterator[str]:
    low = text.casefold()
    kinds = {piece.kind for piece in cited}
    if "category" in low and not any("category" in fact for fact in facts):
        yield "it tells of a category that no cited evidence has"
    if "text" not in kinds and re.search(
        r"\byou (have )?(wrote|written|said|reviewed)\b|\byour (own )?(words?|texts?)\b|\breview",
        low,
    ):
        yield "it tells of something written, and no cited evidence does"
    if "tie" not in kinds and re.search(r"\b(rated|ratings?|stars?)\b", low):
        yield "it tells of a rating that no cited evidence has"
    if re.search(r"\b(wrote|written|said|say|says) that\b", low):
        yield "it tells what somebody wrote, which no evidence holds"
    if re.search(r"\byou (really |clearly |also |must )?(like|love|want|prefer|enjoy|need)\b", low):
        yield "it tells what you feel, which no evidence holds"
    if kinds <= {"tie", "text"} and re.search(r"\byou (already |also )?(hold|own)\b", low):
        yield "it says what you hold, and no cited evidence does"
    if kinds == {"popularity"} and re.search(
        r"\b(also|both|who hold|as well) .*[\ue001-\uf8ff]", low
    ):
        yield "it joins holdings that the cited evidence does not"
