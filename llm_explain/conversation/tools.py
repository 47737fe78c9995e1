"""What a conversation may call, handed in: this room may not import the room that recommends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kinfolio.llm_explain.explanation import Explanation
from kinfolio.records import Recommendations, SimilarProducts, WhatIf, WhyNot, Wishes


class Supposes(Protocol):
    """A list under a supposition."""

    def __call__(
        self,
        user_id: str,
        *,
        without: Sequence[str],
        added: Sequence[str],
        product_id: str | None,
        k: int,
    ) -> WhatIf:
        """The list if `without` were not held and `added` were."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Functions of the other rooms; the user's id always comes from the session."""

    recommend: Callable[[str, int], Recommendations]
    wished: Callable[[str, Wishes, int], Recommendations]
    why_not: Callable[[str, str], WhyNot]
    explain: Callable[[str, str], Explanation]
    evidence: Callable[[str, str], Explanation]
    """Every piece of evidence and no words."""
    similar: Callable[[str, int], SimilarProducts]
    what_if: Supposes
