"""The words a large model puts between finished blocks: what of them may not be shown.

Only blocks carry facts. What stands between them may hold no name, number, advice, promise or
markup and nothing but linking words; a sentence that cites evidence is checked as an explanation
is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kinfolio.llm_explain.checking.check import check_text, load_words
from kinfolio.llm_explain.checking.parse import clean
from kinfolio.llm_explain.conversation.answers import Said

LONGEST_GLUE = 600
_BLOCK = re.compile(r"\{b(\d{1,2})\}")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Few on purpose: with "hold", "people" or "best" among them, plain words would make a claim.
_LINKING = frozenset(
    """
    hello hi hey sorry please thanks thank welcome sure certainly glad happy help ask
    anything else want to know let me can cannot can't i i'm i'd i'll am what that that's
    here's what's okay ok yes below details question questions answer answers goodbye course
    of afraid right now about show list reason reasons here is are was this these those the
    a an and or then also next more my your you it for with on in do did does would first
    second so if there any why how see following found looked look up comes come as asked
    one both them they again too at be tell back say line told same side by from which graph
    says data we
    """.split()
)


def filled(text: str, blocks: Sequence[Said]) -> str:
    """The text with its blocks put in."""
    return _BLOCK.sub(lambda match: f"{blocks[int(match.group(1)) - 1].text}", text).strip()


def faults_of(text: str, blocks: Sequence[Said]) -> tuple[str, ...]:
    """What is wrong with a model's answer; empty when it may be shown."""
    named = [int(number) for number in _BLOCK.findall(text)]
    faults = []
    if missing := [number for number in named if not 1 <= number <= len(blocks)]:
        faults.append(f"there is no block {{b{missing[0]}}}")
    if len(set(named)) != len(named):
        faults.append("a block stands twice")
    if blocks and not named:
        faults.append("it uses none of the blocks")
    glue = clean(_BLOCK.sub(". ", text))
    if not glue and not named:
        faults.append("it says nothing")
    if len(glue) > LONGEST_GLUE:
        faults.append(f"more than {LONGEST_GLUE} characters stand outside the blocks")
        return tuple(faults)
    return (*faults, *_faults_of_glue(glue, blocks))


def _faults_of_glue(glue: str, blocks: Sequence[Said]) -> list[str]:
    words = load_words()
    faults = []
    explained = [said.explanation for said in blocks if said.explanation is not None]
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", glue):
        if not re.search(r"\w", sentence):
            continue
        if re.search(r"\[\d+\]", sentence):
            # A sentence that cites evidence is held to all that an explanation is held to.
            if not any(not check_text(sentence, one) for one in explained):
                faults.append(f"{sentence[:80]!r} is not what the evidence says")
            continue
        if found := words.promises.search(sentence) or words.advice.search(sentence):
            faults.append(f"{found.group().strip()!r} promises or advises")
        if found := re.search(r"\d|https?:|www\.|[@{}<>\[\]#*_`|\\“”\"«»„:;=%€$£]", sentence):
            faults.append(f"{found.group()!r} stands outside the blocks")
        faults += _faults_of_words(sentence)
    return faults


def _faults_of_words(sentence: str) -> list[str]:
    faults = []
    for place, match in enumerate(_WORD.finditer(sentence)):
        word = match.group()
        if place and word[:1].isupper() and word.casefold() not in ("i", "i'm", "i'd", "i'll"):
            faults.append(f"{word!r} looks like a name outside the blocks")
        elif word.casefold().replace("’", "'") not in _LINKING:
            faults.append(f"{word!r} is no plain linking word")
    return faults
