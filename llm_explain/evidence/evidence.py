"""Evidence: what makes up a score, piece by piece, each with the path in the graph that carries it.

Everything is read by fixed statements with parameters inside one transaction. People other than
the asker come out without id or name unless the clauses allow it, small numbers of people
without the number. Knows nothing
of sentences or language models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kinfolio.errors import NotFound, NotReady
from kinfolio.llm_explain.evidence.contributions import Parts, covering, strongest
from kinfolio.llm_explain.evidence.pathfinder import Pathfinder, Piece
from kinfolio.llm_explain.explanation import Evidence
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.records import Kind, Slot, Verdict

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph, Reads

COVERED = 0.8
AT_MOST = 5
COVERED_LONG = 0.95
AT_MOST_LONG = 9
AT_LEAST_AGAINST = 2
"""A long answer tells so many pieces that speak against, however small they are."""

Basis = Literal["holdings", "ties", "text", "popularity"]
"""The best the score rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """All that may be said of why a product has its score for a user."""

    user: str
    product: str
    name: str
    kind: str | None
    """The product's kind in the graph, like "bond"."""
    score: float
    version: str
    basis: Basis
    evidence: tuple[Evidence, ...]
    remainder: float
    num_told: int
    """So many pieces of the evidence, the strongest, are told in words."""
    num_untold: int
    """Pieces that add something and are not told."""
    refused_by: tuple[Verdict, ...]
    """Rules that keep the product from the user; the reason is a key of `fixed` clauses."""
    risk: int | None
    tolerance: int | None
    told_besides: frozenset[int] = frozenset()
    """Ids of weaker pieces that are told too."""


def read_grounds(
    graph: Graph,
    user_id: str,
    product_id: str,
    *,
    all_evidence: bool = False,
    clauses: Clauses | None = None,
    is_long: bool = False,
) -> Grounds:
    """The evidence for the score of a product, strongest first.

    Args:
        graph: the graph, with a version written back.
        user_id: the asker.
        product_id: any product, also one that the rules forbid.
        all_evidence: show every piece, so that nothing remains.
        clauses: language of names and withheld numbers; English when None.
        is_long: tell more pieces, and the strongest against it however small.

    Raises:
        NotReady: nothing was written back.
        NotFound: there is no such user or product.
    """
    return read_parts(
        graph, user_id, product_id, all_evidence=all_evidence, clauses=clauses, is_long=is_long
    )[0]


def read_parts(
    graph: Graph,
    user_id: str,
    product_id: str,
    *,
    all_evidence: bool = False,
    clauses: Clauses | None = None,
    is_long: bool = False,
) -> tuple[Grounds, Parts, list[int]]:
    """As `read_grounds`, with what the score is made of and the order of its pieces by size.

    Evidence n of the grounds is the piece at place n - 1 of the order.
    """
    clauses = clauses or load_clauses()
    with graph.snapshot_reads() as reads:
        states = reads.read("recommend_query_vector", user_ids=[user_id])
        if not states:
            raise NotFound(f"there is no user {user_id!r} in the graph; check the id")
        state = states[0]
        slot: Slot = state["slot"] or "a"
        pair = reads.read(
            "explain_pair",
            slot=slot,
            user_id=user_id,
            product_id=product_id,
            version=state["version"],
        )[0]
        if pair["product"] is None:
            raise NotFound(f"there is no product {product_id!r} in the graph; check the id")
        _need_scored(state, pair)
        width = state["heads"] * state["dim"]
        # The number that `recommend` prints, by the statement that it uses.
        score = reads.read(
            "recommend_score",
            slot=slot,
            user_id=user_id,
            product_ids=[product_id],
            query=[*state["query"], 1.0, 0.0],
            width=width + 2,
        )[0]["score"]
        pieces, messages, basis = _pieces(reads, slot, user_id, pair, width)
        embedding = np.asarray(pair["embedding"], dtype=np.float64)
        general = np.asarray(pair["general"] or [0.0] * width, dtype=np.float64)
        # Where reviewed products stand in for what is known it does not count.
        is_counted = all(piece.form != "about" for piece in pieces)
        weights = {"holding": 1.0, "tie": pair["tie_weight"] or 0.0}
        parts = Parts(
            messages=messages,
            general=general * is_counted,
            reach=state["reach"],
            weights=np.array([weights.get(piece.kind, 0.0) for piece in pieces]),
            linked=np.array([piece.linked for piece in pieces], dtype=np.float64),
            embedding=embedding[:width],
            bias=float(embedding[width]),
            heads=state["heads"],
        )
        values = parts.contributions()
        pieces.append(Piece(kind="popularity", is_general=parts.is_general()))
        order, shares = strongest(values)
        enough = (COVERED_LONG, AT_MOST_LONG) if is_long else (COVERED, AT_MOST)
        num_told = covering(shares[order], *enough)
        against = [place for place, i in enumerate(order) if values[i] < 0][:AT_LEAST_AGAINST]
        besides = [place for place in against if is_long and place >= num_told]
        places = range(len(order)) if all_evidence else (*range(num_told), *besides)
        evidence = _with_paths(
            reads,
            user_id,
            pair,
            {
                place + 1: (pieces[i], float(shares[i]), float(values[i]))
                for place, i in ((place, order[place]) for place in places)
            },
            clauses,
        )
    grounds = Grounds(
        user=user_id,
        product=product_id,
        name=str(pair["name"]),
        kind=pair["kind"] if isinstance(pair["kind"], str) else None,
        score=float(score),
        version=state["version"],
        basis=basis,
        evidence=evidence,
        remainder=float(score) - sum(item.contribution for item in evidence),
        num_told=num_told,
        num_untold=int(np.count_nonzero(values)) - num_told - len(besides),
        refused_by=_refused_by(pair),
        risk=pair["risk"],
        tolerance=pair["tolerance"],
        told_besides=frozenset(place + 1 for place in besides),
    )
    return grounds, parts, order


def _need_scored(state: dict[str, Any], pair: dict[str, Any]) -> None:
    if state["version"] is None:
        raise NotReady(
            "the graph has no embeddings yet, so there is no score to explain; "
            "type: kinfolio writeback"
        )
    if pair["embedding"] is None:
        raise NotReady(
            f"product {pair['product']!r} came after version {state['version']!r} and has no score "
            "yet; type: kinfolio export, kinfolio train and kinfolio writeback"
        )


def _pieces(
    reads: Reads, slot: Slot, user_id: str, pair: dict[str, Any], width: int
) -> tuple[list[Piece], np.ndarray[Any, np.dtype[np.float64]], Basis]:
    rows = reads.read(
        "explain_neighbours", slot=slot, user_id=user_id, product_gid=pair["product_gid"]
    )
    pieces = [
        Piece(
            kind=row["kind"],
            gid=row["gid"],
            id=row["id"] or "",
            name=row["name"] or "",
            linked=row["linked"],
        )
        for row in rows
    ]
    vectors = [row["message"] or [0.0] * width for row in rows]
    if pair["own"] is not None:
        pieces.append(Piece(kind="text", form="own"))
        vectors.append(pair["own"])
    kinds = {piece.kind for piece in pieces}
    basis: Basis = "holdings" if "holding" in kinds else "ties" if "tie" in kinds else "text"
    if not pieces:
        rows = reads.read("explain_reviewed_products", slot=slot, user_id=user_id)
        pieces = [
            Piece(kind="text", gid=row["gid"], id=row["id"], name=row["name"], form="about")
            for row in rows
        ]
        vectors = [row["message"] for row in rows]
        basis = "text" if pieces else "popularity"
    return pieces, np.asarray(vectors, dtype=np.float64).reshape(len(vectors), width), basis


def _refused_by(pair: dict[str, Any]) -> tuple[Verdict, ...]:
    reasons = {
        "held": None if not pair["is_held"] else "held",
        "dismissed": None if not pair["is_dismissed"] else "dismissed",
        "closed": None if pair["is_open"] else "closed",
        "country": None if pair["is_sold"] else "country" if pair["country"] else "country_unknown",
        "risk": None
        if pair["is_safe"]
        else "risk_unknown"
        if pair["tolerance"] is None
        else "risk_above",
    }
    return tuple(
        Verdict(rule=rule, passed=False, reason=reason)
        for rule, reason in reasons.items()
        if reason is not None
    )


def _with_paths(
    reads: Reads,
    user_id: str,
    pair: dict[str, Any],
    chosen: dict[int, tuple[Piece, float, float]],
    clauses: Clauses,
) -> tuple[Evidence, ...]:
    product_id = pair["product"]
    ends = {"user_id": user_id, "product_id": product_id}

    def by_gid(statement: str, kind: Kind) -> dict[int, dict[str, Any]]:
        gids = [
            piece.gid for piece, _, value in chosen.values() if piece.kind == kind and value > 0
        ]
        more: dict[str, Any] = {}  # Any: as `read` takes parameters
        # Holdings that speak against need no path to the product; ties need their kind always.
        if kind == "tie":
            gids = [piece.gid for piece, _, _ in chosen.values() if piece.kind == kind]
            more = {"named": clauses.names_people}
        rows = reads.read(statement, gids=gids, **ends, **more) if gids else []
        return {row["gid"]: row for row in rows}

    holdings = by_gid("explain_holdings", "holding")
    ties = by_gid("explain_ties", "tie")
    written: dict[str, Any] = {}
    if any(piece.form == "own" for piece, _, _ in chosen.values()):
        written = (reads.read("explain_own_review", **ends) or [{}])[0]
    is_against = any(
        piece.kind == "popularity" and value < 0 for piece, _, value in chosen.values()
    )
    if is_against and pair["holders"] >= clauses.fewest:
        # Only then is it said; a graph with a least rating looks at every rating for it.
        pair = {**pair, **reads.read("explain_mean_holders")[0]}
    pathfinder = Pathfinder(user_id, pair, clauses)
    result = []
    for number, (piece, share, value) in chosen.items():
        if piece.kind == "holding":
            facts, path = pathfinder.holding(piece, value, holdings.get(piece.gid))
        elif piece.kind == "tie":
            facts, path = pathfinder.tie(value, ties[piece.gid])
        elif piece.kind == "text":
            facts, path = pathfinder.text(piece, value, written)
        else:
            facts, path = pathfinder.popularity(piece, value)
        result.append(
            Evidence(
                id=number,
                kind=piece.kind,
                share=share,
                contribution=value,
                path=path,
                facts=facts,
            )
        )
    return tuple(result)
