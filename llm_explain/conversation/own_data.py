"""What a user may change and see of their own data: dismissals, their data, its deletion.

A change is asked about first and made by code after a plain yes; no model can say that yes. The
statements take the session's user and nothing else.
"""

from __future__ import annotations

import re
from typing import Any

from kinfolio.llm_explain.conversation.answers import Answers, Said
from kinfolio.llm_explain.conversation.mention import Listed
from kinfolio.llm_explain.conversation.phrases import listed, say, shown

DELETE_WORDS = "delete my data"
_SAMPLE = 10
_FIELDS = ("name", "country", "risk_tolerance")
_YES = re.compile(
    r"(yes|yep|yeah|y|sure|ok|okay|do it|please do|go ahead|confirm(ed)?|right|correct|certainly)"
    r"([,.! ]+(please|do it|do|sure|thanks|thank you|i am|i'm sure|go ahead))*[.! ]*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(no|nope|n|never|don't|do not|stop|cancel|leave it|keep it|rather not|better not)\b.*",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"\bundo\b|\bbring\b.*\bback\b|\b(?:put|want|have|get)\b.*\bback\b|\bchanged my mind\b"
    r"|\brestore\b"
    r"|^(?!.*(?:\bnever\b|n't|\bnot\b|\bstop\b)).*\bshow\b.*\bagain\b|\btake .*back\b",
    re.IGNORECASE,
)
_DELETE = re.compile(
    r"\b(?:delete|erase|wipe|forget|remove|deleted|erased|wiped|removed)\b", re.IGNORECASE
)


def is_yes(line: str) -> bool:
    """Whether a line says yes and nothing else."""
    return bool(_YES.fullmatch(line.strip()))


def is_no(line: str) -> bool:
    """Whether a line says no."""
    return bool(_NO.fullmatch(line.strip()))


def is_undo(line: str) -> bool:
    """Whether a line takes a dismissal back."""
    return bool(_UNDO.search(line))


def is_delete(line: str) -> bool:
    """Whether a line about the user's data asks for its deletion."""
    return bool(_DELETE.search(line))


def ask_dismiss(answers: Answers, product: Listed) -> Said:
    """The question before a product is dismissed."""
    if answers.is_dismissed(product):
        return Said(say("dismiss_there", product=shown(product.name)), {"product": product.product})
    return _asked("dismiss", product, "dismiss_sure")


def ask_undo(answers: Answers, product: Listed | None) -> Said:
    """The question before a dismissal is taken back."""
    if product is None or not answers.is_dismissed(product):
        return Said(say("undo_none"))
    return _asked("undo", product, "undo_sure")


def my_data(answers: Answers) -> Said:
    """What the graph keeps about the user; tied people are counted, not named."""
    row = answers.graph.read("show_user", id=answers.user, sample=_SAMPLE)[0]
    counts, samples = row["counts"], row["samples"]
    properties = {key: row["properties"].get(key) for key in _FIELDS}
    lines = [say("data_head", user=shown(answers.user))]
    lines += [
        say("data_field", field=key.replace("_", " "), value=shown(str(value)))
        for key, value in properties.items()
        if value is not None
    ]
    for key, noun in (("holds", "product"), ("dismissed", "product"), ("reviews", "review")):
        names = _names(samples[key]) if key != "reviews" else ""
        number = _counted(counts[key], noun)
        lines.append(say(f"data_{key}", number=number, names=names))
    lines.append(say("data_ties", number=_people(counts["ties"])))
    lines.append(say("data_tail"))
    return Said("\n".join(lines), {"properties": properties, "counts": dict(counts)})


def ask_delete(answers: Answers) -> Said:
    """The first of two questions before the user's data is deleted."""
    counts = answers.graph.read("show_user", id=answers.user, sample=0)[0]["counts"]
    text = say(
        "delete_sure",
        holdings=_counted(counts["holds"], "holding"),
        reviews=_counted(counts["reviews"], "review"),
        ties=_counted(counts["ties"], "tie"),
    )
    return Said(text, {}, {"asked": {"action": "delete"}})


def settle(answers: Answers, asked: dict[str, Any], line: str) -> Said | None:
    """What a line does to the question that was asked; None: it is about something else."""
    action = asked["action"]
    if action == "delete_now":
        if re.sub(r"\W+", " ", line).strip().casefold() == DELETE_WORDS:
            answers.graph.write("change_delete_user", user_id=answers.user)
            return Said(say("deleted"), {"deleted": True})
        return Said(say("not_deleted"), {"deleted": False})
    if is_yes(line):
        return _done(answers, action, asked)
    if is_no(line):
        return Said(say("not_deleted" if action == "delete" else "not_changed"))
    return None


def _done(answers: Answers, action: str, asked: dict[str, Any]) -> Said:
    if action == "delete":
        return Said(say("delete_surer"), {}, {"asked": {"action": "delete_now"}})
    product = Listed(asked["product"], asked["name"])
    name = shown(product.name)
    statement = "change_dismiss" if action == "dismiss" else "change_undo_dismissal"
    answers.graph.write(statement, user_id=answers.user, product_id=product.product)
    keeps: dict[str, Any] = {"dismissed": []}
    if action == "dismiss":
        keeps = {"dismissed": [product.product, product.name]}
    text = say("dismissed" if action == "dismiss" else "undone", product=name)
    return Said(text, {"product": product.product, "changed": action}, keeps)


def _asked(action: str, product: Listed, key: str) -> Said:
    question = {"action": action, "product": product.product, "name": product.name}
    return Said(
        say(key, product=shown(product.name)),
        {"product": product.product},
        {"asked": question, "last": [product.product, product.name]},
    )


def _names(samples: list[dict[str, Any]]) -> str:
    names = [shown(str(row["name"] or row["product"])) for row in samples]
    return f": {listed(names)}" if names else ""


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _people(number: int) -> str:
    return {0: "nobody", 1: "one person"}.get(number, f"{number} people")
