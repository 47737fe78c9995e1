"""Faults in the connectives that a large model writes between finished blocks.

Only blocks state facts. The text between them may hold no name, number, advice, promise or markup,
and only listed words; a sentence that cites evidence is checked as an explanation is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kinfolio.llm_explain.checking.check import check_text
from kinfolio.llm_explain.checking.lexicon import load_lexicon
from kinfolio.llm_explain.checking.parse import clean
from kinfolio.llm_explain.conversation.answers import Reply

MAX_CHARACTERS = 600
_BLOCK = re.compile(r"\{b(\d{1,2})\}")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Few on purpose: "hold", "people" or "best" would allow claims in plain words.
_CONNECTIVES = frozenset(
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


def fill_blocks(text: str, blocks: Sequence[Reply]) -> str:
    """Replace the references to blocks by their texts."""
    return _BLOCK.sub(lambda match: blocks[int(match[1]) - 1].text, text).strip()


def find_faults(text: str, blocks: Sequence[Reply]) -> tuple[str, ...]:
    """Return the faults of a model's answer; empty where it may be displayed."""
    numbers = [int(number) for number in _BLOCK.findall(text)]
    faults = []
    if missing := [number for number in numbers if not 1 <= number <= len(blocks)]:
        faults.append(f"there is no block {{b{missing[0]}}}")
    if len(set(numbers)) != len(numbers):
        faults.append("a block is placed twice")
    if blocks and not numbers:
        faults.append("it uses none of the blocks")
    free_text = clean(_BLOCK.sub(". ", text))
    if not free_text and not numbers:
        faults.append("it is empty")
    if len(free_text) > MAX_CHARACTERS:
        faults.append(f"more than {MAX_CHARACTERS} characters are outside the blocks")
        return tuple(faults)
    explanations = [reply.explanation for reply in blocks if reply.explanation is not None]
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", free_text):
        if re.search(r"\[\d+\]", sentence):
            # It must pass the check of an explanation.
            if all(check_text(sentence, one) for one in explanations):
                faults.append(f"{sentence[:80]!r} is not supported by the evidence")
        else:
            faults += _faults_of_sentence(sentence)
    return tuple(faults)


def _faults_of_sentence(sentence: str) -> list[str]:
    if not re.search(r"\w", sentence):
        return []
    words = load_lexicon()
    faults = []
    if found := words.promises.search(sentence) or words.advice.search(sentence):
        faults.append(f"{found.group().strip()!r} promises or advises")
    if found := re.search(r"\d|https?:|www\.|[@{}<>\[\]#*_`|\\“”\"«»„:;=%€$£]", sentence):
        faults.append(f"{found.group()!r} is outside the blocks")
    for place, match in enumerate(_WORD.finditer(sentence)):
        word = match.group()
        if place and word[:1].isupper() and word.casefold() not in ("i", "i'm", "i'd", "i'll"):
            faults.append(f"{word!r} has the form of a name outside the blocks")
        elif word.casefold().replace("’", "'") not in _CONNECTIVES:
            faults.append(f"{word!r} is no plain linking word")
    return faults
