"""The grammar of a plan: one wording per sentence, nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

Choices = Sequence[Sequence[str]]
"""The wordings of each sentence."""


def lark_grammar(choices: Choices) -> str:
    """Return the grammar in llguidance's dialect of Lark; sentences are joined by blanks."""
    rules = [f"s{number}" for number in range(len(choices))]
    lines = ["start: " + " ".join(rules)]
    for number, (rule, wordings) in enumerate(zip(rules, choices, strict=True)):
        # The blank belongs to the word after it, as in the tokenizer: alone it would be one more
        # token to decode.
        texts = [" " * bool(number) + wording for wording in wordings]
        lines.append(f"{rule}: " + " | ".join(json.dumps(t, ensure_ascii=False) for t in texts))
    return "\n".join(lines)


def choose(choices: Choices, seed: int) -> str:
    """Draw one text of the grammar; seed 0 takes the first wordings, which suit the evidence."""
    source = random.Random(seed)
    return " ".join(source.choice(wordings) if seed else wordings[0] for wordings in choices)


def sample_wordings(
    choices: Choices, limit: int, seed: int, num_chosen: int | None = None
) -> list[list[str]]:
    """Draw at most `limit` wordings per sentence, and one after the first `num_chosen` sentences.

    A model then decides less, which is faster, and does not prefer the same wording every time.
    Seed 0 takes the first ones.
    """
    source = random.Random(seed)
    limits = [limit if num_chosen is None or n < num_chosen else 1 for n in range(len(choices))]
    return [
        source.sample(list(wordings), min(most, len(wordings))) if seed else list(wordings[:most])
        for most, wordings in zip(limits, choices, strict=True)
    ]
