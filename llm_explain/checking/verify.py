"""An independent verifier of explanations; shares no code with the writers or with `check.py`.

It reads the JSON document that `kinfolio explain` prints and nothing else.
"""

from __future__ import annotations

import re
from typing import Any


def find_faults(document: dict[str, Any]) -> list[str]:
    """Return names, numbers and citations of the text that the cited evidence does not contain."""
    faults = []
    facts = {piece["id"]: piece["facts"] for piece in document["evidence"]}
    shares = {piece["id"]: piece["share"] for piece in document["evidence"]}
    names = {str(f[key]) for f in facts.values() for key in ("name", "category") if key in f}
    product = {document["name"], " ".join(document["name"].split())}
    # Where a held product has the same name, the id follows it.
    product |= set(re.findall(rf"“[^”]* \({re.escape(document['product'])}\)”", document["text"]))
    if document["text"] != " ".join(sentence["text"] for sentence in document["sentences"]):
        faults.append("the text is not its sentences")
    for sentence in document["sentences"]:
        text, cited = sentence["text"], sentence["evidence"]
        if not cited:
            if re.search(r"\[\d", _without(text, product)):
                faults.append(f"cites, but has no evidence: {text}")
            continue
        if [int(n) for n in re.findall(r"\[(\d+)\]", _without(text, names | product))] != cited:
            faults.append(f"other citations than its evidence: {text}")
        share = sum(shares[n] for n in cited)
        own = {str(value) for n in cited for value in facts[n].values()}
        faults += [
            f"{other!r} is of other evidence: {text}"
            for other in names - own
            if re.search(rf"(?<!\w){re.escape(other)}(?!\w)", _without(text, own | product))
        ]
        bare = re.sub(r"\[\d+\]", "", _without(text, own & names | product))
        allowed = {n for value in own for n in re.findall(r"\d+(?:\.\d+)?", value)}
        for number in re.findall(r"\d+(?:[.,]\d+)*(?: ?%)?", bare):
            if number.endswith("%"):
                percents = {
                    str(facts[n][k]) for n in cited for k in ("ratio", "base") if k in facts[n]
                }
                percents = {n for value in percents for n in re.findall(r"\d+", value)}
                percents.add(str(round(100 * abs(share))))
                is_cited = _plain(number.rstrip("% ")) in percents
            else:
                is_cited = _plain(number) in allowed
            if not is_cited:
                faults.append(f"{number} is in no cited evidence: {text}")
    return faults


def find_people(document: dict[str, Any], people: list[tuple[str, str]]) -> list[str]:
    """Return faults for each other person, out of (id, name), whom an explanation reveals."""
    faults = []
    for piece in document["evidence"]:
        for step in piece["path"]:
            if step.get("label") == "User" and step.get("id") not in (None, document["user"]):
                faults.append(f"a path names {step['id']!r}")
            if set(step) - {"label", "id", "type", "direction"}:
                faults.append(f"a path step has other fields: {sorted(step)}")
    allowed = {document["name"], document["user"]}
    allowed |= {str(v) for p in document["evidence"] for k, v in p["facts"].items() if k != "claim"}
    words = set(re.findall(r"\w+", _without(document["text"], allowed)))
    for user, name in people:
        # Ids that are plain numbers or lower-case words are the same as words of the text.
        faults += [
            f"the text contains {word!r}"
            for word in {user, name} - allowed
            if re.search(r"\d", word) and re.search(r"[^\W\d]", word) and word in words
        ]
    return faults


def _plain(number: str) -> str:
    """1183 for 1,183 and 1.183, as in the facts; 4.5 for 4,5."""
    return re.sub(r"[.,](?=\d{3}(?!\d))", "", number).replace(",", ".")


def _without(text: str, names: set[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return text
