"""What a piece of evidence claims: the key of its clauses, its facts, for or against a product.

`evidence/paths.py`, the clause files and the check speak of the same claims; a clause file with
other ones is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from kinfolio.records import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of a kind of evidence."""

    facts: tuple[str, ...] = ()
    """Facts that each such piece has, besides `claim`."""
    optional: tuple[str, ...] = ()
    """Facts that a piece may have."""
    is_against: bool = False


_COUNTS = ("holders", "both", "ratio", "base", "often")
CLAIMS: dict[tuple[Kind, str], Claim] = {
    ("holding", "itself"): Claim(facts=("name",)),
    ("holding", "together"): Claim(facts=("name", *_COUNTS)),
    ("holding", "category"): Claim(facts=("name", "category")),
    ("holding", "near"): Claim(facts=("name",)),
    ("holding", "against"): Claim(facts=("name",), is_against=True),
    ("tie", "holds"): Claim(facts=("person", "tie"), optional=("name",)),
    ("tie", "rated"): Claim(facts=("person", "tie", "rating"), optional=("name",)),
    ("tie", "near"): Claim(facts=("person", "tie"), optional=("name",)),
    ("tie", "against"): Claim(facts=("person", "tie"), optional=("name",), is_against=True),
    ("text", "own"): Claim(optional=("name",)),
    ("text", "about"): Claim(facts=("name",)),
    ("text", "against"): Claim(optional=("name",), is_against=True),
    ("popularity", "many"): Claim(facts=("holders", "people")),
    ("popularity", "alike"): Claim(),
    ("popularity", "few"): Claim(facts=("holders", "people"), is_against=True),
    ("popularity", "fewest"): Claim(facts=("holders",), is_against=True),
    ("popularity", "against_many"): Claim(facts=("holders", "people"), is_against=True),
    ("popularity", "general"): Claim(),
    ("popularity", "against_general"): Claim(is_against=True),
}
"""By kind of evidence and key.

together: `both` of the `holders` other holders of `name` also hold the product, which is `ratio`
percent; `base` percent of all others hold it; `often` compares the two: several, twice or more.
near, against: the sign of the contribution. alike: the part of the score that is the same for all.
"""


def base_claim(claim: str) -> str:
    """Return the claim of a key of clauses: `near` for `near_several`."""
    return claim.removesuffix("_several").removesuffix("_item")
