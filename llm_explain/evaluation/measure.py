"""Many explanations taken apart: sums, paths, names, deletion, wording, seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.llm_explain.checking.verify import faults_of, people_in
from kinfolio.llm_explain.evaluation.deletion import Deleted, deleted
from kinfolio.llm_explain.evaluation.fluency import distinct, reading_ease, wordings
from kinfolio.llm_explain.evidence.evidence import read_grounds, read_parts
from kinfolio.llm_explain.evidence.path_exists import path_exists
from kinfolio.llm_explain.explain import as_document, put_in_words
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.llm_explain.wording.plan import Length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.wording.writers import Writer

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Unit vectors of texts."""
MOST_FAULTS = 20
MOST_EXAMPLES = 10


@dataclass
class Measured:
    """What was found over all pairs."""

    pairs: int = 0
    sound: int = 0
    """Pairs without any fault."""
    worst_sum: float = 0.0
    """Largest |sum of all contributions - score that `recommend` gave|."""
    worst_remainder: float = 0.0
    """Largest |shown contributions + remainder - score|."""
    missing_paths: list[str] = field(default_factory=list)
    not_grounded: list[str] = field(default_factory=list)
    people_shown: list[str] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)
    """Share of the sum of sizes that the shown evidence carries."""
    deletions: list[Deleted] = field(default_factory=list)
    writers: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    wordings: list[list[str]] = field(default_factory=list)
    """Of each explanation, its sentences without names and numbers."""
    texts: list[str] = field(default_factory=list)


def measure(
    graph: Graph,
    pairs: Iterable[tuple[str, str, float]],
    writers: Sequence[Writer],
    seed: int = 0,
    clauses: Clauses | None = None,
    length: Length = "normal",
) -> Measured:
    """Explanations of recommendations, taken apart.

    Args:
        graph: the graph, with a version written back.
        pairs: user, product and the score that `recommend` gave.
        writers: who writes, asked in turn.
        seed: of the random evidence that is taken away.
        clauses: the language, and what a deployment allows; English when None.
        length: how much is told.
    """
    found = Measured()
    clauses = clauses or load_clauses()
    # Where the deployment names people, a name is no fault.
    rows = () if clauses.names_people else graph.read("explain_users")
    people = [(row["id"], row["name"]) for row in rows]
    source = np.random.default_rng(seed)
    for user, product, score in pairs:
        _measure_one(graph, user, product, score, writers, people, source, clauses, length, found)
    return found


def _measure_one(
    graph: Graph,
    user: str,
    product: str,
    score: float,
    writers: Sequence[Writer],
    people: list[tuple[str, str]],
    source: np.random.Generator,
    clauses: Clauses,
    length: Length,
    found: Measured,
) -> None:
    start = time.perf_counter()
    is_long = length == "long"
    grounds, parts, order = read_parts(graph, user, product, clauses=clauses, is_long=is_long)
    read, cpu = time.perf_counter(), time.process_time()
    explanation = put_in_words(grounds, writers, clauses=clauses, length=length)
    wrote, wrote_cpu = time.perf_counter(), time.process_time()
    name = f"writer {explanation.writer}"
    for key, value in (
        ("evidence", read - start),
        (name, wrote - read),
        (f"{name}, CPU", wrote_cpu - cpu),
    ):
        found.seconds.setdefault(key, []).append(value)
    found.writers[explanation.writer] = found.writers.get(explanation.writer, 0) + 1

    told = as_document(explanation)
    every = read_grounds(graph, user, product, all_evidence=True, clauses=clauses)
    label = f"{user} {product}"
    total = sum(piece.contribution for piece in every.evidence)
    found.worst_sum = max(found.worst_sum, abs(total - score))
    shown = sum(piece["contribution"] for piece in told["evidence"])
    found.worst_remainder = max(found.worst_remainder, abs(shown + told["remainder"] - score))
    sizes = sum(abs(piece.contribution) for piece in every.evidence)
    found.covered.append(sum(abs(p["contribution"]) for p in told["evidence"]) / (sizes or 1))
    missing = [
        f"{label} [{piece.id}]"
        for piece in every.evidence
        if not path_exists(graph, piece.path, user)
    ]
    faults = [f"{label}: {fault}" for fault in faults_of(told)]
    shown_people = [
        f"{label}: {fault}" for fault in people_in(told, people) if not clauses.names_people
    ]
    found.missing_paths += missing
    found.not_grounded += faults
    found.people_shown += shown_people
    found.sound += not (missing or faults or shown_people)
    found.deletions.append(
        deleted(parts, [order[piece.id - 1] for piece in grounds.evidence], source)
    )
    found.wordings.append(wordings(explanation))
    found.texts.append(explanation.text)
    found.pairs += 1


def summary(found: Measured) -> dict[str, Any]:
    """The figures as one document."""
    faults = found.missing_paths + found.not_grounded + found.people_shown
    different = len({"\n".join(each) for each in found.wordings})
    sentences = [sentence for each in found.wordings for sentence in each]
    return {
        "pairs": found.pairs,
        "grounded": found.sound / max(1, found.pairs),
        "worst_sum": found.worst_sum,
        "worst_remainder": found.worst_remainder,
        "paths_missing": len(found.missing_paths),
        "not_grounded": len(found.not_grounded),
        "people_shown": len(found.people_shown),
        "share_covered": float(np.mean(found.covered)) if found.covered else 0.0,
        "deletion": _deletion(found.deletions),
        "wording": {
            "distinct_texts": different / max(1, found.pairs),
            "distinct_sentences": len(set(sentences)) / max(1, len(sentences)),
            "distinct_2": distinct(sentences, 2),
            "reading_ease": reading_ease(sentences),
        },
        "writers": found.writers,
        "seconds": {
            key: {"p50": float(np.median(values)), "p95": float(np.percentile(values, 95))}
            for key, values in found.seconds.items()
        },
        "faults": faults[:MOST_FAULTS],
        "examples": found.texts[:MOST_EXAMPLES],
    }


def _deletion(all_pairs: list[Deleted]) -> dict[str, Any]:
    compared = [one for one in all_pairs if one.random is not None]
    positive = [one for one in all_pairs if one.score > 0]
    return {
        "compared": len(compared),
        "no_other_evidence": len(all_pairs) - len(compared),
        "fewer_others": sum(one.drawn < one.removed for one in compared),
        "falls_more": _mean(one.named > (one.random or 0.0) for one in compared),
        "falls_more_than_mean": _mean(one.named > (one.random_mean or 0.0) for one in compared),
        "fall_named": _mean(one.named for one in compared),
        "fall_random": _mean(one.random_mean or 0.0 for one in compared),
        "sufficiency": float(np.median([one.alone / one.score for one in positive]))
        if positive
        else None,
    }


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(np.mean(listed)) if listed else None


def likeness(
    texts: Sequence[str], references: Sequence[str], encode: Encode, seed: int = 0
) -> dict[str, float]:
    """How near texts are to reference texts of the same pairs: cosines of sentence embeddings.

    `of_others` is the same with the references shuffled so that none stays with its pair: what any
    explanation would get. `nearer` is the share of texts that are nearer to their own reference
    than to that of another, `among_references` how near references are to those of others.
    """
    ours, theirs = encode(list(texts)), encode(list(references))
    order = np.random.default_rng(seed).permutation(len(texts))
    others = np.empty_like(theirs)
    others[order] = theirs[np.roll(order, 1)]
    own, other = np.sum(ours * theirs, axis=1), np.sum(ours * others, axis=1)
    return {
        "pairs": len(texts),
        "cosine": float(np.mean(own)),
        "of_others": float(np.mean(other)),
        "nearer": float(np.mean(own > other)),
        "among_references": float(np.mean(np.sum(theirs * others, axis=1))),
    }
