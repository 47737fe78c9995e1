"""The grammar of a plan: one wording for each sentence, nothing else.

As a context-free grammar for llguidance, and as a seeded choice that follows the same grammar.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

Choices = Sequence[Sequence[str]]
"""For each sentence the wordings it may have."""


def lark_of(choices: Choices) -> str:
    """The grammar in llguidance's dialect of Lark; its texts are the wordings joined by blanks."""
    rules = [f"s{number}" for number in range(len(choices))]
    lines = ["start: " + " ".join(rules)]
    for number, (rule, wordings) in enumerate(zip(rules, choices, strict=True)):
        # The blank goes with the words after it, as the tokenizer has them: alone it would be a
        # token to be decided.
        texts = [" " * bool(number) + wording for wording in wordings]
        lines.append(f"{rule}: " + " | ".join(json.dumps(t, ensure_ascii=False) for t in texts))
    return "\n".join(lines)


def choose(choices: Choices, seed: int) -> str:
    """One text of the grammar, the same for the same seed."""
    source = random.Random(seed)
    return " ".join(source.choice(wordings) for wordings in choices)


def thinned(
    choices: Choices, at_most: int, seed: int, num_chosen: int | None = None
) -> list[list[str]]:
    """The choices with at most so many wordings for a sentence, drawn by a seed.

    After the first `num_chosen` sentences there is one wording each.

    A model then decides less, which is faster, and does not fall for the same wording each time.
    """
    source = random.Random(seed)
    most = [at_most if num_chosen is None or n < num_chosen else 1 for n in range(len(choices))]
    return [
        source.sample(list(wordings), min(room, len(wordings)))
        for room, wordings in zip(most, choices, strict=True)
    ]
