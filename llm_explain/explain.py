"""Why a product has its score for a user: evidence, plan, words, check, in that order.

Whatever a writer wrote is shown only when the check finds nothing; otherwise the next writer is
asked. The last one needs no model.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.mapping.display_names import PathNames
from kinfolio.llm_explain.checking.check import check_text, sentences_of
from kinfolio.llm_explain.evidence.evidence import Grounds, read_grounds
from kinfolio.llm_explain.explanation import Explanation, Problem, Sentence
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.llm_explain.wording.plan import Length, Plan, make_plan
from kinfolio.records import Step

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.wording.writers import Writer


def explain(
    graph: Graph,
    user_id: str,
    product_id: str,
    writers: Sequence[Writer],
    *,
    all_evidence: bool = False,
    clauses: Clauses | None = None,
    length: Length = "normal",
) -> Explanation:
    """Why a product has its score for a user.

    A product that the rules keep from the user is explained too, but the text says so first.

    Args:
        graph: the graph, with a version written back.
        user_id: the user's own key.
        product_id: the product's own key.
        writers: asked in turn until one's text passes the check.
        all_evidence: give every piece of evidence; the words stay with the strongest.
        clauses: the language; English when None.
        length: how much is told.

    Raises:
        NotReady: nothing was written back, or the writer's model does not answer.
        NotFound: there is no such user or product.
    """
    grounds = read_grounds(
        graph,
        user_id,
        product_id,
        all_evidence=all_evidence,
        clauses=clauses,
        is_long=length == "long",
    )
    return put_in_words(grounds, writers, clauses=clauses, length=length)


def put_in_words(
    grounds: Grounds,
    writers: Sequence[Writer],
    *,
    clauses: Clauses | None = None,
    length: Length = "normal",
) -> Explanation:
    """The explanation of some evidence, by the first writer whose text passes the check."""
    clauses = clauses or load_clauses()
    plan = make_plan(grounds, clauses, length)
    silent = _silent(grounds, plan, clauses.language)
    if not plan.slots:
        return silent
    # The same pair is told in the same words each time, another pair in others.
    seed = zlib.crc32(f"{grounds.user}\0{grounds.product}\0{grounds.version}".encode())
    for writer in writers:
        faults: tuple[Problem, ...] = ()
        for attempt in range(writer.tries):
            text = writer.write(plan, seed + attempt, faults)
            faults = _faults(text, plan, silent)
            if not faults:
                return _told(silent, plan, text, writer.name)
    return silent


def _faults(text: str, plan: Plan, silent: Explanation) -> tuple[Problem, ...]:
    faults = check_text(text, silent)
    cited = {n for sentence in sentences_of(text, silent) for n in sentence.cited}
    missing = {n for slot in plan.slots for n in slot.evidence} - cited
    if missing:
        lost = Problem(text="", reason=f"it leaves out evidence {sorted(missing)}")
        return (*faults, lost)
    return faults


def _silent(grounds: Grounds, plan: Plan, language: str) -> Explanation:
    """The explanation with the fixed sentences only."""
    fixed = [Sentence(text=text, evidence=()) for text in (*plan.opening, *plan.closing)]
    return Explanation(
        user=grounds.user,
        product=grounds.product,
        name=grounds.name,
        score=grounds.score,
        version=grounds.version,
        writer="none",
        text=" ".join(sentence.text for sentence in fixed),
        sentences=tuple(fixed),
        evidence=grounds.evidence,
        remainder=grounds.remainder,
        grounded=True,
        language=language,
    )


def _told(silent: Explanation, plan: Plan, text: str, writer: str) -> Explanation:
    written = [
        Sentence(text=sentence.text, evidence=sentence.cited)
        for sentence in sentences_of(text, silent)
    ]
    opening = [Sentence(text=fixed, evidence=()) for fixed in plan.opening]
    closing = [Sentence(text=fixed, evidence=()) for fixed in plan.closing]
    sentences = (*opening, *written, *closing)
    return replace(
        silent,
        writer=writer,
        text=" ".join(sentence.text for sentence in sentences),
        sentences=sentences,
    )


def as_document(explanation: Explanation, names: PathNames | None = None) -> dict[str, Any]:
    """The explanation as the command line's JSON document; paths in the names of the graph."""
    names = names or PathNames()
    return {
        "user": explanation.user,
        "product": explanation.product,
        "name": explanation.name,
        "score": explanation.score,
        "version": explanation.version,
        "writer": explanation.writer,
        "text": explanation.text,
        "sentences": [
            {"text": sentence.text, "evidence": list(sentence.evidence)}
            for sentence in explanation.sentences
        ],
        "evidence": [
            {
                "id": piece.id,
                "kind": piece.kind,
                "share": piece.share,
                "contribution": piece.contribution,
                "path": [_step(step) for step in names.path(piece.path)],
                "facts": dict(piece.facts),
            }
            for piece in explanation.evidence
        ],
        "remainder": explanation.remainder,
        "grounded": explanation.grounded,
    }


def path_in_words(path: Sequence[Step], user_id: str, names: PathNames | None = None) -> str:
    """A path in one line, like `you -HOLDS-> p1 <-HOLDS- someone -HOLDS-> p2`."""
    words = []
    for step, shown in (names or PathNames()).pairs(path):
        if shown.type is not None:
            words.append(f"-{shown.type}->" if shown.direction == "out" else f"<-{shown.type}-")
        elif step.label == "User":
            words.append("you" if step.id == user_id else "someone")
        elif step.label == "Review":
            words.append("a review")
        else:
            words.append(str(step.id))
    return " ".join(words)


def _step(step: Step) -> dict[str, str]:
    content = {
        "label": step.label,
        "id": step.id,
        "type": step.type,
        "direction": step.direction,
    }
    return {key: value for key, value in content.items() if value is not None}
