"""A user's access to their own data: read it, change dismissals, delete all of it.

Each change needs the user's own confirmation, which no model can replace. The statements take the
session's user and no other.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.language.patterns import pattern
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.phrases import count_of, display_name, phrase, phrases
from kinfolio.llm_explain.memory.threads import delete_threads

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

_SAMPLE_SIZE = 10
PARTS = ("risk_tolerance", "country", "reviews", "ties", "dismissed")
"""What may be asked for alone."""
_PROPERTIES = ("name", "country", "risk_tolerance")


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


def ask_show(answers: Answers) -> Reply:
    """Ask whether to show what is stored about the user."""
    return Reply(phrase("show_sure"), {}, {"question": {"action": "show_data"}})


def show_data(answers: Answers, parts: Collection[str] = ()) -> Reply:
    """Show what the graph stores about the user; people behind ties are only counted.

    `parts`: those of `PARTS` to show; empty: everything.
    """
    row = answers.graph.read("show_user", id=answers.user, sample=_SAMPLE_SIZE)[0]
    counts, samples = row["counts"], row["samples"]
    properties = {key: row["properties"].get(key) for key in _PROPERTIES}
    lines = {
        key: phrase("data_field", field=phrases()["fields"][key], value=display_name(str(value)))
        for key, value in properties.items()
        if value is not None
    }
    for key in ("holds", "dismissed"):
        held = [ProductRef(one["product"], str(one["name"] or "")) for one in samples[key]]
        listing = f": {answers.names(held).listed(held)}" if held else ""
        number = count_of(counts[key], "product")
        lines[key] = phrase(f"data_{key}", number=number, names=listing)
    lines["reviews"] = phrase("data_reviews", number=count_of(counts["reviews"], "review"))
    lines["ties"] = phrase("data_ties", number=count_of(counts["ties"], "person"))
    if parts:
        found = [lines.get(part, phrase("data_unknown")) for part in parts]
        text = " ".join(f"{line[:1].upper()}{line[1:]}." for line in dict.fromkeys(found))
        return Reply(text, {"topic": "my_data", "parts": list(parts)})
    head = phrase("data_head", user=display_name(answers.user))
    text = "\n".join([head, *lines.values(), phrase("data_tail")])
    return Reply(text, {"properties": properties, "counts": dict(counts)})


def ask_delete(answers: Answers) -> Reply:
    """Ask the first of two questions before the user's data is deleted."""
    if not answers.may_delete:
        return Reply(phrase("delete_refused"))
    counts = answers.graph.read("show_user", id=answers.user, sample=0)[0]["counts"]
    text = phrase(
        "delete_sure",
        holdings=count_of(counts["holds"], "holding"),
        reviews=count_of(counts["reviews"], "own_review"),
        ties=count_of(counts["ties"], "tie"),
    )
    return Reply(text, {}, {"question": {"action": "delete"}})


def is_confirmed_deletion(question: dict[str, Any], line: str) -> bool:
    """Return whether a line is the phrase that the second question of a deletion asks for."""
    is_phrase = pattern("delete_phrase").fullmatch(re.sub(r"\W+", " ", line).strip())
    return bool(is_phrase) and question["action"] == "delete_now"


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
    if action == "show_data":
        is_yes = pattern("yes").fullmatch(line.strip())
        if is_yes:
            return show_data(answers)
        return Reply(phrase("not_shown")) if pattern("no").fullmatch(line.strip()) else None
    if action == "delete_now":
        return Reply(phrase("not_deleted"), {"deleted": False})
    if pattern("no").fullmatch(line.strip()):
        return Reply(phrase("not_deleted" if action == "delete" else "not_changed"))
    if not pattern("yes").fullmatch(line.strip()):
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
