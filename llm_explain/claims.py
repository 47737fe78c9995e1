"""What one part of a sentence claims, held against the evidence it cites.

Numbers in their roles, names, holdings, ties, direction and weight. English wording is known here;
facts are those of `evidence.py`, whose fact `claim` says what a piece can carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kinfolio.llm_explain.reading import Names
from kinfolio.records import Evidence

_HARD_AGAINST = re.compile(
    r"\b(against|lower(s|ed)?|drawbacks?|draws? back|downsides?|weak(ens?|ness(es)?)"
    r"|reduc(e|es|ed)|hurts?|sets? [^,.]* (back|apart)|apart|worse|minus|speaks? less"
    r"|pulls? \w+ down|away from|opposite)\b",
    re.IGNORECASE,
)
_ONLY_FEW = re.compile(
    r"\b(only|merely|just|no more than|as few as) (\d|few|fewer|a few|\w+ people)", re.IGNORECASE
)
_SOFT_AGAINST = re.compile(
    r"\b(but|however|though|although|despite|yet|nevertheless|still|on the other hand|less|few)\b",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\b(because|fits?|suits?|speaks? (strongly |also |clearly )?for|in (its |your )?favou?r"
    r"|supports?|helps?|raises?|advantage|strengths?|good (sign|reason|news)|another reason"
    r"|reasons? (for|why)|recommended|picked|pushes \w+ up|plus|positive)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(\b(not|never|no|none|nobody|neither|nor|without|hardly|barely|cannot|lacks?|nothing)\b|n['’]t\b)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_WHOLE_BEFORE = re.compile(
    r"\b(out of|of|among|amongst|from|with)( all| the| its| those| these| other)*\s+$",
    re.IGNORECASE,
)
_PART_AFTER = re.compile(
    r"^\s*((people|others|holders|investors) )?(out )?of\s+(the|them|whom|those|these|its|all|\d)",
    re.IGNORECASE,
)
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
    names: Names,
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
    yield from _numbers(text, cited, facts, number_words)
    yield from _quantities(text, facts)
    yield from _holdings(text, cited, names)
    yield from _people(text, cited, facts)
    yield from _subjects(text, cited, facts)
    yield from _direction(text, before, cited)
    yield from _weight(text, cited, told)


def _names(text: str, cited: Sequence[Evidence], names: Names) -> Iterator[str]:
    numbers = {piece.id for piece in cited}
    for char in text:
        if names.is_mask(char) and not names.is_product(char):  # noqa: SIM102
            if not names.evidence(char) & numbers:
                where = min(names.evidence(char))
                yield f"{names.of(char)!r} stands in evidence [{where}], not in what is cited"


def _all_told(text: str, cited: Sequence[Evidence], names: Names) -> Iterator[str]:
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


def _numbers(
    text: str, cited: Sequence[Evidence], facts: list[dict[str, Any]], words: dict[str, int]
) -> Iterator[str]:
    low = text.casefold()
    withheld = {
        number
        for fact in facts
        for value in fact.values()
        if isinstance(value, str)
        for number in re.findall(r"\d+", value)
    }
    found = [(match.group(), match.start(), match.end()) for match in _NUMBER.finditer(text)]
    found += _spelled(low, words)
    counted = [fact for fact in facts if fact.get("claim") == "together"]
    for number, start, end in sorted(found, key=lambda item: item[1]):
        ahead, behind = text[:start], text[end:]
        shown = text[start:end]
        if re.match(r"\s*(%|per ?cent\b|percent\b)", behind):
            yield from _percent(number, shown, text, cited, counted)
            continue
        if re.search(r"(fewer|less) than\s+$|\bunder\s+$", ahead, re.IGNORECASE):
            if number in withheld:
                continue
        elif re.search(
            r"(more than|over|at least|at most|nearly|almost|about|around)\s+$", ahead, re.I
        ):
            yield f"{shown} is not told exactly, but the evidence knows exact numbers"
            continue
        allowed = {
            _plain(value)
            for fact in facts
            for value in fact.values()
            if isinstance(value, (int, float))
        }
        if _plain(number) not in allowed:
            yield f"{shown} stands in no evidence that is cited"
            continue
        if len(counted) == len(facts) == 1:
            yield from _role(number, shown, ahead, behind, counted[0], len(found))


def _spelled(text: str, words: dict[str, int]) -> list[tuple[str, int, int]]:
    """Numbers in words, like "thirty-one" or "two hundred and five", and where they stand."""
    word = "|".join(words)
    spelled = re.compile(rf"\b(?:(?:{word}|one|a)(?: and |[ -]))*(?:{word})(?:[ -]one)?\b")
    found = []
    for match in spelled.finditer(text):
        total = 0
        for part in re.findall(r"[a-z]+", match.group()):
            value = {"one": 1, "a": 1, "and": 0}.get(part) or words.get(part, 0)
            total = max(total, 1) * value if value >= 100 else total + value
        found.append((str(total), match.start(), match.end()))
    return found


def _role(
    number: str, shown: str, ahead: str, behind: str, fact: dict[str, Any], count: int
) -> Iterator[str]:
    """Whether a number of holders is told as all holders or as those who hold both."""
    holders, both = _plain(fact["holders"]), _plain(fact["both"])
    if holders == both:
        return
    clause = re.split(r"[;.]", behind)[0]
    is_part = bool(_PART_AFTER.match(behind)) or bool(
        re.match(r"\W*(\w+\W+){0,4}?(also|both|too|as well|together)\b", clause)
    )
    is_whole = bool(_WHOLE_BEFORE.search(ahead))
    if is_whole and not _PART_AFTER.match(behind):
        expected = holders
    elif is_part:
        expected = both
    elif count == 1:
        says_both = re.search(r"\b(also|both|too|as well|together|this)\b", ahead + behind)
        expected = both if says_both else holders
    else:
        return
    if _plain(number) != expected:
        what = "hold both" if expected == both else "hold it"
        yield f"{shown} is told as those who {what}; the evidence says {expected}"


def _percent(
    number: str, shown: str, text: str, cited: Sequence[Evidence], counted: list[dict[str, Any]]
) -> Iterator[str]:
    share = sum(abs(piece.share) for piece in cited) * 100
    value = float(number.replace(",", "."))
    is_share = re.search(
        r"\b(score|share|weight|reasons?|counts?|total|contribut\w+)\b", text, re.I
    )
    if is_share and abs(value - share) <= 0.51:
        return
    ratios = [100 * fact["both"] / fact["holders"] for fact in counted]
    if not is_share and any(abs(value - ratio) <= 0.51 for ratio in ratios):
        return
    yield f"{shown} percent stands in no evidence that is cited"


def _quantities(text: str, facts: list[dict[str, Any]]) -> Iterator[str]:
    low = text.casefold()
    if found := re.search(
        r"\b(nobody|no one|none|everyone|everybody|all of (them|whom)|every (holder|one))\b",
        low,
    ):
        yield f"{found.group()!r} stands in no evidence that is cited"
    ratios = [f["both"] / f["holders"] for f in facts if f.get("claim") == "together"]
    for pattern, lowest, highest in (
        (
            r"\bmost( of)? (of|the|them|whom|those|people|holders|others)\b|\bmajority\b",
            0.5,
            1.0,
        ),
        (r"\bhalf\b", 0.4, 0.6),
        (r"\b(nearly|almost) all\b", 0.85, 1.0),
        (r"\b(third|thirds|quarter|quarters|fifth)s? of\b", 2.0, 2.0),
    ):
        if re.search(pattern, low) and not any(lowest <= ratio <= highest for ratio in ratios):
            yield "the part of the people it tells stands in no evidence that is cited"


def _holdings(text: str, cited: Sequence[Evidence], names: Names) -> Iterator[str]:
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


def _direction(text: str, before: str, cited: Sequence[Evidence]) -> Iterator[str]:
    signs = {piece.contribution > 0 for piece in cited if piece.contribution}
    bare = re.sub(r"\bonly a (little|bit)\b", "", text, flags=re.IGNORECASE)
    hard = _HARD_AGAINST.search(bare) or _ONLY_FEW.search(bare)
    if re.search(
        r"(not|never|n['’]t|nothing|hardly)\s+(\w+\s+){0,3}?"
        r"(against|drawbacks?|problem|matter|hurt|lower)",
        bare,
        re.I,
    ):
        yield "it denies what speaks against"
    elif signs == {True}:
        if hard:
            yield f"it tells as speaking against ({hard.group()!r}) what speaks for the product"
        elif found := _NEGATION.search(re.sub(r"not only", "", bare, flags=re.IGNORECASE)):
            yield f"it denies something ({found.group()!r}) that the evidence affirms"
    elif signs == {False}:
        soft = _SOFT_AGAINST.search(bare) or _HARD_AGAINST.search(before)
        if found := _FOR.search(re.sub(r"speaks? (\w+ )?against", "", bare)):
            yield f"it tells as a reason for ({found.group()!r}) what speaks against the product"
        elif not (hard or soft or _NEGATION.search(bare) or _ONLY_FEW.search(before)):
            yield "it does not say that this speaks against the product"
    elif signs and not (hard or _SOFT_AGAINST.search(before + bare)):
        yield "it mixes what speaks for and against without saying so"


def _weight(text: str, cited: Sequence[Evidence], told: Sequence[Evidence]) -> Iterator[str]:
    low = text.casefold()
    share = sum(abs(piece.share) for piece in cited)
    largest = max((abs(p.share) for p in told if p.contribution > 0), default=0.0)
    is_largest = any(abs(piece.share) >= largest - 1e-9 for piece in cited)
    if (
        re.search(
            r"\b(mainly|mostly|chiefly|primarily|largely|the main|main reason|most of)\b", low
        )
        and share < 0.35
        and not is_largest
    ):
        yield "it calls main what is a small share of the score"
    if (
        re.search(
            r"\b(strongest|biggest|largest|most important|above all|first of all|most strongly)\b",
            low,
        )
        and not is_largest
        and share < largest
    ):
        yield "it calls strongest what is not"
    if (
        re.search(r"\b(slight(ly)?|a little|minor|smaller reason|lesser degree|a bit)\b", low)
        and share > 0.4
    ):
        yield "it calls small what is a large share of the score"
    if (
        re.search(
            r"\b(only|sole|single|one) reason\b|\b(solely|entirely|purely|exclusively)\b", low
        )
        and share < 0.99
    ):
        yield "it calls the only reason what is one of several"


def _plain(number: Any) -> str:
    # Any: a fact is a number, a text from the page a digit string.
    text = str(number).replace(",", "")
    return text.removesuffix(".0")
