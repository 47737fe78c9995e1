"""A user's access to their own data: read it, change dismissals, delete all of it.

Each change needs the user's own confirmation, which no model can replace. The statements take the
session's user and no other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import display_name, phrase
from kinfolio.llm_explain.memory.threads import delete_threads

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

DELETE_PHRASE = "delete my data"
_SAMPLE_SIZE = 10
_PROPERTIES = ("name", "country", "risk_tolerance")
_YES = re.compile(
    r"(yes|yep|yeah|y|sure|ok|okay|do it|please do|go ahead|confirm(ed)?|right|correct|certainly)"
    r"([,.! ]+(please|do it|do|sure|thanks|thank you|i am|i'm sure|go ahead))*[.! ]*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(no|nope|n|never|don't|do not|stop|cancel|leave it|keep it|rather not|better not)\b.*",
    re.IGNORECASE,
)
UNDO = re.compile(
    r"\bundo\b|\bbring\b.*\bback\b|\b(?:put|want|have|get)\b.*\bback\b|\bchanged my mind\b"
    r"|\brestore\b"
    r"|^(?!.*(?:\bnever\b|n't|\bnot\b|\bstop\b)).*\bshow\b.*\bagain\b|\btake .*back\b",
    re.IGNORECASE,
)
"""A line about a dismissal that requests to reverse it."""
DELETE = re.compile(
    r"\b(?:delete|erase|wipe|forget|remove|deleted|erased|wiped|removed)\b", re.IGNORECASE
)
"""A line about the user's data that requests its deletion."""


def ask_dismiss(answers: Answers, product: ProductRef) -> Reply:
    """Ask whether to dismiss a product."""
    if answers.has_dismissed(product):
        text = phrase("dismissed_already", product=answers.names([product])(product))
        return Reply(text, {"product": product.id})
    return _ask(answers, "dismiss", product)


def ask_undo(answers: Answers, product: ProductRef | None) -> Reply:
    """Ask whether to reverse a dismissal."""
    if product is None or not answers.has_dismissed(product):
        return Reply(phrase("not_dismissed"))
    return _ask(answers, "undo", product)


def show_data(answers: Answers) -> Reply:
    """Show what the graph stores about the user; people behind ties are only counted."""
    row = answers.graph.read("show_user", id=answers.user, sample=_SAMPLE_SIZE)[0]
    counts, samples = row["counts"], row["samples"]
    properties = {key: row["properties"].get(key) for key in _PROPERTIES}
    lines = [phrase("data_head", user=display_name(answers.user))]
    lines += [
        phrase("data_field", field=key.replace("_", " "), value=display_name(str(value)))
        for key, value in properties.items()
        if value is not None
    ]
    for key in ("holds", "dismissed"):
        held = [ProductRef(one["product"], str(one["name"] or "")) for one in samples[key]]
        listing = f": {answers.names(held).listed(held)}" if held else ""
        lines.append(phrase(f"data_{key}", number=_count(counts[key], "product"), names=listing))
    ties = counts["ties"]
    lines += [
        phrase("data_reviews", number=_count(counts["reviews"], "review")),
        phrase("data_ties", number={0: "nobody", 1: "one person"}.get(ties, f"{ties} people")),
        phrase("data_tail"),
    ]
    return Reply("\n".join(lines), {"properties": properties, "counts": dict(counts)})


def ask_delete(answers: Answers) -> Reply:
    """Ask the first of two questions before the user's data is deleted."""
    if not answers.may_delete:
        return Reply(phrase("delete_refused"))
    counts = answers.graph.read("show_user", id=answers.user, sample=0)[0]["counts"]
    text = phrase(
        "delete_sure",
        holdings=_count(counts["holds"], "holding"),
        reviews=_count(counts["reviews"], "review"),
        ties=_count(counts["ties"], "tie"),
    )
    return Reply(text, {}, {"question": {"action": "delete"}})


def is_confirmed_deletion(question: dict[str, Any], line: str) -> bool:
    """Return whether a line is the phrase that the second question of a deletion asks for."""
    is_phrase = re.sub(r"\W+", " ", line).strip().casefold() == DELETE_PHRASE
    return is_phrase and question["action"] == "delete_now"


def delete_user(
    graph: Graph,
    user_id: str,
    checkpointer: BaseCheckpointSaver[Any],
    events: EventLog | None,
) -> None:
    """Delete the user's conversations and events, then what the graph stores about the user.

    After an interruption the user still exists, so that the deletion can be repeated. The caller
    has the user's confirmation, or the right to do without.

    Args:
        graph: contains the user.
        user_id: of the user.
        checkpointer: stores the conversations.
        events: the log of the home; None: there is none.
    """
    delete_threads(checkpointer, graph, {user_id})
    if events is not None:
        events.forget(user_id)
    graph.write("change_delete_user", user_id=user_id)


def resolve(answers: Answers, question: dict[str, Any], line: str) -> Reply | None:
    """Apply a line to the open question; None if the line answers neither yes nor no.

    A confirmed deletion is not handled here: it must not leave the line in a conversation.
    The question is that of the state; Any: JSON values.
    """
    action = question["action"]
    if action == "delete_now":
        return Reply(phrase("not_deleted"), {"deleted": False})
    if _NO.fullmatch(line.strip()):
        return Reply(phrase("not_deleted" if action == "delete" else "not_changed"))
    if not _YES.fullmatch(line.strip()):
        return None
    if action == "delete":
        return Reply(phrase("delete_surer"), {}, {"question": {"action": "delete_now"}})
    return _change(answers, action, ProductRef(question["product"], question["name"]))


def _change(answers: Answers, action: str, product: ProductRef) -> Reply:
    is_dismissal = action == "dismiss"
    if is_dismissal:
        answers.graph.write("change_dismiss", user_id=answers.user, rows=[[product.id]])
    else:
        answers.graph.write("change_undo_dismissal", user_id=answers.user, product_id=product.id)
    text = phrase(
        "dismissed" if is_dismissal else "undone", product=answers.names([product])(product)
    )
    dismissed = list(product) if is_dismissal else []
    return Reply(text, {"product": product.id, "changed": action}, {"last_dismissed": dismissed})


def _ask(answers: Answers, action: str, product: ProductRef) -> Reply:
    question = {"action": action, "product": product.id, "name": product.name}
    return Reply(
        phrase(f"{action}_sure", product=answers.names([product])(product)),
        {"product": product.id},
        {"question": question, "last_product": list(product)},
    )


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
