"""Explain a score: evidence, plan, text, check.

A text is returned only when the check finds no problem; otherwise the next writer is
called. The last writer needs no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.mapping.display_names import PathNames
from kinfolio.errors import FileError, OutOfMemory, quoted
from kinfolio.llm_explain.checking.check import check_text, sentences_of
from kinfolio.llm_explain.evidence.attribution import read_attribution
from kinfolio.llm_explain.explanation import Attribution, Explanation, Problem, Sentence
from kinfolio.llm_explain.wording.clauses import Clauses, load_clauses
from kinfolio.llm_explain.wording.plan import Length, Plan, make_plan
from kinfolio.os_errors import warn_once
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
    """Explain the score of a product for a user.

    A product that the rules exclude is explained too; the text begins with the rules. The writers
    are called in turn until one's text passes the check. `all_evidence` returns every contribution
    as evidence; the text is the same.

    Raises:
        NotReady: nothing was written back, or the writer's model does not answer.
        NotFound: there is no such user or product.
    """
    clauses = clauses or load_clauses()
    attribution, _ = read_attribution(
        graph, user_id, product_id, clauses, all_evidence=all_evidence, is_long=length == "long"
    )
    return write_explanation(attribution, writers, clauses=clauses, length=length)


def write_explanation(
    attribution: Attribution,
    writers: Sequence[Writer],
    *,
    clauses: Clauses | None = None,
    length: Length = "normal",
) -> Explanation:
    """Return the explanation by the first writer whose text passes the check.

    Without such a text each sentence is the first wording that passes alone, or its plain clause:
    planned evidence is always told where there is a writer.
    """
    clauses = clauses or load_clauses()
    plan = make_plan(attribution, clauses, length)
    fixed_only = _explanation(attribution, plan, (), "none", clauses)
    for writer in writers if plan.slots else ():
        faults: tuple[Problem, ...] = ()
        for attempt in range(writer.tries):
            try:
                text = writer.write(plan, attempt, faults)
            except (FileError, OutOfMemory) as error:
                warn_once(f"{error}; the sentences are written without {writer.name}")
                break
            written = [
                Sentence(text=sentence.text, evidence=sentence.cited)
                for sentence in sentences_of(text, fixed_only)
            ]
            found = _explanation(attribution, plan, written, writer.name, clauses)
            # Checked by the evidence and the fixed sentences only, not by the written ones.
            problems = check_text(found.text, fixed_only)
            faults = (*problems, *_omissions(found))
            if not faults:
                return replace(found, grounded=True)
    found = _told_one_by_one(attribution, plan, fixed_only, clauses) if writers else fixed_only
    return replace(found, grounded=not found.untold and not check_text(found.text, fixed_only))


def _told_one_by_one(
    attribution: Attribution, plan: Plan, fixed_only: Explanation, clauses: Clauses
) -> Explanation:
    """Return the explanation by the wordings that pass the check alone, and plain clauses."""
    texts = [
        next((text for text in slot.wordings if not check_text(text, fixed_only)), None)
        for slot in plan.slots
    ]
    written = [
        Sentence(text=slot.plain if text is None else text, evidence=slot.evidence)
        for slot, text in zip(plan.slots, texts, strict=True)
    ]
    num_plain = texts.count(None)
    if num_plain:
        warn_once(
            f"{num_plain} of {len(texts)} reasons for {quoted(attribution.product)} are in plain "
            "clauses, because the check refused the others"
        )
    found = _explanation(attribution, plan, written, "none", clauses)
    return replace(found, plain_sentences=num_plain)


def _explanation(
    attribution: Attribution, plan: Plan, written: Sequence[Sentence], writer: str, clauses: Clauses
) -> Explanation:
    """The explanation of a writer's sentences between the fixed ones, not checked yet."""
    opening = [Sentence(text=text, evidence=()) for text in plan.opening]
    closing = [Sentence(text=text, evidence=()) for text in plan.closing]
    sentences = (*opening, *written, *closing)
    planned = {number for slot in plan.slots for number in slot.evidence}
    told = {number for sentence in written for number in sentence.evidence}
    return Explanation(
        user=attribution.user,
        product=attribution.product,
        name=attribution.name,
        label=attribution.label,
        score=attribution.score,
        version=attribution.version,
        writer=writer,
        text=" ".join(sentence.text for sentence in sentences),
        sentences=sentences,
        evidence=attribution.evidence,
        remainder=attribution.remainder,
        grounded=False,
        language=clauses.language,
        replaced=clauses.replaced,
        known_by=attribution.known_by,
        refused_by=plan.refused_by,
        untold=tuple(sorted(planned - told)),
    )


def _omissions(found: Explanation) -> list[Problem]:
    reason = f"it leaves out evidence {list(found.untold)}"
    return [Problem(text="", reason=reason)] if found.untold else []


def as_document(explanation: Explanation, names: PathNames | None = None) -> dict[str, Any]:
    """Return the JSON document of the command line; paths use the names of the graph."""
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
        "known_by": list(explanation.known_by),
        "refused_by": [asdict(refusal) for refusal in explanation.refused_by],
        "untold": list(explanation.untold),
        "plain_sentences": explanation.plain_sentences,
        **({"cap": asdict(explanation.cap)} if explanation.cap else {}),
    }


def format_path(path: Sequence[Step], user_id: str, names: PathNames | None = None) -> str:
    """Format a path as one line, like `you -HOLDS-> p1 <-HOLDS- someone -HOLDS-> p2`."""
    words = []
    for step, renamed in (names or PathNames()).pairs(path):
        if renamed.type is not None:
            is_out = renamed.direction == "out"
            words.append(f"-{renamed.type}->" if is_out else f"<-{renamed.type}-")
        elif step.label == "User":
            words.append("you" if step.id == user_id else "someone")
        elif step.label == "Review":
            words.append("a review")
        else:
            words.append(str(step.id))
    return " ".join(words)


def _step(step: Step) -> dict[str, str]:
    return {key: value for key, value in asdict(step).items() if value is not None}
