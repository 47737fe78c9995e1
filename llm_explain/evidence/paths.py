"""Facts and path of each piece of evidence.

Other people appear without id or name unless the deployment names people, small numbers of people
without the number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kinfolio.llm_explain.display import Display, flat_name, name_key
from kinfolio.llm_explain.evidence.components import Component
from kinfolio.llm_explain.explanation import Evidence, Facts
from kinfolio.records import Step

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Reads

LEAST_LIFT = 1.1
"""Holders of a product that hold the explained one less often than this, compared with all people,
are no reason for it."""
_TWICE, _SEVERAL = 2.0, 3.0
_PERSON = Step(label="User")
_Row = dict[str, Any]  # Any: values of a row
_Path = tuple[Step, ...]


class Contribution(NamedTuple):
    """A component with the id that its evidence gets, its share and its contribution."""

    id: int
    component: Component
    share: float
    value: float


def read_evidence(
    reads: Reads,
    pair: _Row,
    chosen: Sequence[Contribution],
    display: Display,
    names: dict[str, str],
) -> tuple[Evidence, ...]:
    """Read facts and path of the chosen contributions to the score of `explain_pair`'s row.

    `names` are those of the products in the text, by id.
    """
    ends = {"user_id": pair["user"], "product_id": pair["product"]}

    def by_gid(statement: str, gids: list[int], **parameters: Any) -> dict[int, _Row]:
        rows = reads.read(statement, gids=gids, **ends, **parameters) if gids else []
        return {row["gid"]: row for row in rows}

    # Holdings that count against the product need no path to it; ties always need their kind.
    held = [c.component.gid for c in chosen if c.component.kind == "holding" and c.value > 0]
    tied = [c.component.gid for c in chosen if c.component.kind == "tie"]
    holdings = by_gid("explain_holdings", held)
    ties = by_gid("explain_ties", tied, named=display.names_people)
    review: _Row = {}
    if any(c.component.text == "own" for c in chosen):
        review = (reads.read("explain_own_review", **ends) or [{}])[0]
    is_unpopular = any(c.component.kind == "popularity" and c.value < 0 for c in chosen)
    if is_unpopular and pair["holders"] >= display.min_people:
        # Only then is it stated; a graph with a minimum rating reads every rating for it.
        pair = {**pair, **reads.read("explain_mean_holders")[0]}
    tells_ratings = display.tells_holdings_of_ties
    if tells_ratings and any(row["rating"] is not None for row in ties.values()):
        pair = {**pair, **reads.read("explain_rating_scale")[0]}
    paths = _PathBuilder(pair, display, names)
    result = []
    for number, component, share, value in chosen:
        if component.kind == "holding":
            facts, path = paths.holding(component, value, holdings.get(component.gid))
        elif component.kind == "tie":
            facts, path = paths.tie(value, ties[component.gid])
        elif component.kind == "text":
            facts, path = paths.text(component, value, review)
        else:
            facts, path = paths.popularity(component, value)
        result.append(
            Evidence(
                id=number,
                kind=component.kind,
                share=share,
                contribution=value,
                path=path,
                facts=facts,
            )
        )
    return tuple(result)


class _PathBuilder:
    """Builds facts and path of one component; the fact `claim` is the key of its clause."""

    def __init__(self, pair: _Row, display: Display, names: dict[str, str]) -> None:
        self._you = Step(label="User", id=pair["user"])
        self._product = Step(label="Product", id=pair["product"])
        self._pair = pair
        self._display = display
        self._names = names
        self._taken = {name_key(name) for name in names.values()}

    def _other_name(self, name: str, note: str) -> str:
        """Return a name that no product in the text has: with a note in brackets where one has."""
        shown = self._display.display_name(name)
        if name_key(shown) not in self._taken:
            return shown
        return self._display.name_with_id(name, self._display.words.get(note, note))

    def holding(self, component: Component, value: float, row: _Row | None) -> tuple[Facts, _Path]:
        """Return those of a held product; `row` has the counts, None where they were not read."""
        name = self._names[component.id]
        held = (self._you, _out("HOLDS"), Step(label="Product", id=component.id))
        together = (*held, _in("HOLDS"), _PERSON, _out("HOLDS"), self._product)
        if value < 0:
            return (("claim", "against"), ("name", name)), held
        if component.id == self._product.id:
            return (("claim", "itself"), ("name", name)), held
        if row is not None and (numbers := self._lift(row)):
            return (("claim", "together"), ("name", name), *numbers), together
        if row is not None and flat_name(str(row["category"] or "")):
            category = self._other_name(str(row["category"]), "category")
            shared = Step(label="Category", id=str(row["category"]))
            path = (*held, _out("IN_CATEGORY"), shared, _in("IN_CATEGORY"), self._product)
            return (("claim", "category"), ("name", name), ("category", category)), path
        return (("claim", "near"), ("name", name)), held

    def _lift(self, row: _Row) -> Facts:
        """How much more often the holders of a product hold the explained one than all people.

        Empty where they do not, or where too few hold both.
        """
        others = self._pair["people"] - 1
        if row["both"] < self._display.min_people or others < 1:
            return ()
        ratio, base = row["both"] / row["holders"], self._pair["holders"] / others
        shown, shown_base = round(100 * ratio), round(100 * base)
        if ratio < LEAST_LIFT * base or shown <= shown_base:
            return ()
        lift = ratio / base
        often = "several" if lift >= _SEVERAL else "twice" if lift >= _TWICE else "more"
        less = self._display.words["less"].format(percent=1)
        return (
            ("holders", row["holders"]),
            ("both", row["both"]),
            ("ratio", shown),
            ("base", shown_base if 100 * base >= 1 else less),
            ("often", often),
        )

    def tie(self, value: float, row: _Row) -> tuple[Facts, _Path]:
        """Return those of a tied person, unnamed unless the deployment names people.

        The closeness comes from the trained vectors: without `tells_holdings_of_ties` nothing here
        depends on what the person holds now.
        """
        key = self._display.tie_key(row["kind"], "out" if row["is_out"] else "in")
        tied = (
            self._you,
            (_out if row["is_out"] else _in)("TIED_TO"),
            Step(label="User", id=row["id"]),
        )
        who: Facts = (("person", self._display.people[key][0]), ("tie", key))
        if flat_name(str(row["name"] or "")):
            who = (("name", self._other_name(str(row["name"]), "person")), *who)
        if value < 0:
            return (("claim", "against"), *who), tied
        if not (row["holds"] and self._display.tells_holdings_of_ties):
            return (("claim", "near"), *who), tied
        path = (*tied, _out("HOLDS"), self._product)
        rating, mean = row["rating"], self._pair["mean_rating"]
        middle = self._pair.get("middle_rating")
        # One below the mean or the middle of the scale would read as a reason against.
        if rating is None or mean is None or middle is None or rating < max(mean, middle):
            return (("claim", "holds"), *who), path
        number = int(rating) if float(rating).is_integer() else round(float(rating), 2)
        return (("claim", "rated"), *who, ("rating", number)), path

    def text(self, component: Component, value: float, review: _Row) -> tuple[Facts, _Path]:
        """Return those of the user's own text, with `review` as its example, or of a review."""
        about = component if component.text == "about" else None
        product_id = about.id if about else review.get("id")
        claim = "against" if value < 0 else component.text
        if product_id is None:
            return (("claim", claim),), (self._you,)
        name = self._names.get(product_id) or self._other_name(str(review["name"]), product_id)
        step = Step(label="Review", id=None if about else review["review"])
        path = (self._you, _out("WROTE"), step, _out("ABOUT"))
        return (("claim", claim), ("name", name)), (*path, Step(label="Product", id=product_id))

    def popularity(self, component: Component, value: float) -> tuple[Facts, _Path]:
        """Return those of the part that does not depend on the user: the holders, or the prior."""
        if component.is_prior:
            return (("claim", "general" if value >= 0 else "against_general"),), (self._product,)
        number, people = self._pair["holders"], self._pair["people"] - 1
        if value >= 0 and number < self._display.min_people:
            return (("claim", "alike"),), (self._product,)
        if value >= 0:
            claim = "many"
        elif number < self._display.min_people:
            claim = "fewest"
        else:
            claim = "few" if number < self._pair["mean_holders"] else "against_many"
        path = (self._product, _in("HOLDS"), _PERSON) if number else (self._product,)
        counts: Facts = (("claim", claim), ("holders", self._display.count(number)))
        return (counts if claim == "fewest" else (*counts, ("people", people))), path


def _out(kind: str) -> Step:
    return Step(type=kind, direction="out")


def _in(kind: str) -> Step:
    return Step(type=kind, direction="in")
