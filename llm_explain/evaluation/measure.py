"""Measure many explanations: sums, paths, grounding, deletion, wording, seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kinfolio.llm_explain.checking.verify import find_faults, find_people
from kinfolio.llm_explain.evaluation.deletion import Deletion, delete_evidence
from kinfolio.llm_explain.evaluation.fluency import distinct_n, reading_ease, wordings
from kinfolio.llm_explain.evidence.attribution import read_attribution
from kinfolio.llm_explain.evidence.contributions import rank_by_size
from kinfolio.llm_explain.evidence.path_exists import path_exists
from kinfolio.llm_explain.explain import as_document, write_explanation
from kinfolio.llm_explain.explanation import Attribution, Explanation
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.llm_explain.wording.plan import Length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.wording.writers import Writer

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Returns unit vectors of texts."""
MAX_FAULTS = 20
MAX_EXAMPLES = 10


class Measurement:
    """Explains pairs one by one and collects the figures; `seed` draws random evidence."""

    def __init__(
        self,
        graph: Graph,
        writers: Sequence[Writer],
        seed: int = 0,
        clauses: Clauses | None = None,
        length: Length = "normal",
    ) -> None:
        self._graph = graph
        self._writers = writers
        self._clauses = clauses or load_clauses()
        self._length = length
        self._rng = np.random.default_rng(seed)
        # Where the deployment names people, a name is no fault.
        rows = () if self._clauses.names_people else graph.read("explain_users")
        self._people = [(row["id"], row["name"]) for row in rows]
        self._num_sound = 0
        self._worst_sum = 0.0
        self._worst_remainder = 0.0
        self._missing_paths: list[str] = []
        self._not_grounded: list[str] = []
        self._people_shown: list[str] = []
        self._untold: list[str] = []
        self._num_plain = 0
        self._covered: list[float] = []
        self._deletions: list[Deletion] = []
        self._writers_used: dict[str, int] = {}
        self._seconds: dict[str, list[float]] = {}
        self._wordings: list[list[str]] = []
        self.texts: list[str] = []
        """The text of each explanation, in order."""

    def add(self, user: str, product: str, score: float) -> None:
        """Explain one pair and check it against the score that `recommend` returned."""
        start = time.perf_counter()
        stated, linear_score = read_attribution(
            self._graph, user, product, self._clauses, is_long=self._length == "long"
        )
        read, cpu = time.perf_counter(), time.process_time()
        found = write_explanation(stated, self._writers, clauses=self._clauses, length=self._length)
        writer = f"writer {found.writer}"
        for key, seconds in (
            ("evidence", read - start),
            (writer, time.perf_counter() - read),
            (f"{writer}, CPU", time.process_time() - cpu),
        ):
            self._seconds.setdefault(key, []).append(seconds)
        self._writers_used[found.writer] = self._writers_used.get(found.writer, 0) + 1
        every, _ = read_attribution(self._graph, user, product, self._clauses, all_evidence=True)
        self._add_sums(found, every, score)
        self._add_faults(found, every)
        order, _ = rank_by_size(linear_score.contributions())
        indices = [order[piece.id - 1] for piece in stated.evidence]
        self._deletions.append(delete_evidence(linear_score, indices, self._rng))
        self._wordings.append(wordings(found))
        self.texts.append(found.text)

    def _add_sums(self, found: Explanation, every: Attribution, score: float) -> None:
        total = sum(piece.contribution for piece in every.evidence)
        self._worst_sum = max(self._worst_sum, abs(total - score))
        shown = sum(piece.contribution for piece in found.evidence)
        self._worst_remainder = max(self._worst_remainder, abs(shown + found.remainder - score))
        sizes = sum(abs(piece.contribution) for piece in every.evidence)
        shown_sizes = sum(abs(piece.contribution) for piece in found.evidence)
        self._covered.append(shown_sizes / (sizes or 1))

    def _add_faults(self, found: Explanation, every: Attribution) -> None:
        label = f"{found.user} {found.product}"
        document = as_document(found)
        missing = [
            f"{label} [{piece.id}]"
            for piece in every.evidence
            if not path_exists(self._graph, piece.path, found.user)
        ]
        faults = [f"{label}: {fault}" for fault in find_faults(document)]
        people = [] if self._clauses.names_people else find_people(document, self._people)
        cited = {number for one in found.sentences for number in one.evidence}
        if found.untold or not (cited or not found.evidence):
            self._untold.append(f"{label}: the text lacks evidence {list(found.untold)}")
        self._num_plain += found.plain_sentences
        self._missing_paths += missing
        self._not_grounded += faults
        self._people_shown += [f"{label}: {fault}" for fault in people]
        self._num_sound += not (missing or faults or people or found.untold)

    def summary(self) -> dict[str, Any]:
        """Return the figures as one JSON document."""
        num_pairs = max(1, len(self.texts))
        num_different = len({"\n".join(each) for each in self._wordings})
        sentences = [sentence for each in self._wordings for sentence in each]
        return {
            "pairs": len(self.texts),
            "grounded": self._num_sound / num_pairs,
            "worst_sum": self._worst_sum,
            "worst_remainder": self._worst_remainder,
            "paths_missing": len(self._missing_paths),
            "not_grounded": len(self._not_grounded),
            "people_shown": len(self._people_shown),
            "without_evidence": len(self._untold),
            "plain_sentences": self._num_plain,
            "share_covered": _mean(self._covered) or 0.0,
            "deletion": _deletion(self._deletions),
            "wording": {
                "distinct_texts": num_different / num_pairs,
                "distinct_sentences": len(set(sentences)) / max(1, len(sentences)),
                "distinct_2": distinct_n(sentences, 2),
                "reading_ease": reading_ease(sentences),
            },
            "writers": self._writers_used,
            "seconds": {
                key: {"p50": float(np.median(values)), "p95": float(np.percentile(values, 95))}
                for key, values in self._seconds.items()
            },
            "faults": [
                *(*self._missing_paths, *self._not_grounded, *self._people_shown),
                *self._untold,
            ][:MAX_FAULTS],
            "examples": self.texts[:MAX_EXAMPLES],
        }


def _deletion(pairs: list[Deletion]) -> dict[str, Any]:
    compared = [pair for pair in pairs if pair.random is not None]
    positive = [pair.alone / pair.score for pair in pairs if pair.score > 0]
    return {
        "compared": len(compared),
        "no_other_evidence": len(pairs) - len(compared),
        "fewer_others": sum(pair.drawn < pair.removed for pair in compared),
        "falls_more": _mean(pair.named > (pair.random or 0.0) for pair in compared),
        "falls_more_than_mean": _mean(pair.named > (pair.random_mean or 0.0) for pair in compared),
        "fall_named": _mean(pair.named for pair in compared),
        "fall_random": _mean(pair.random_mean or 0.0 for pair in compared),
        "sufficiency": float(np.median(positive)) if positive else None,
    }


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(np.mean(listed)) if listed else None


def reference_similarity(
    texts: Sequence[str], references: Sequence[str], encode: Encode, seed: int = 0
) -> dict[str, float]:
    """Return cosines between embeddings of texts and of reference texts for the same pairs.

    `of_others` compares with the reference of another pair, as a baseline. `nearer` is the share
    of texts nearer to their own reference than to that of another pair, `among_references` the
    cosine between references of different pairs.
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
