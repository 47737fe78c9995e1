"""Own rules: a folder of `.cypher` files, each a condition about a user `u` and a product `p`.

The file name is the rule's name, its leading comment lines are the displayed reason. Of these,
`// customer: ...` (in another language `// customer de: ...`) is what an explanation tells the
user, and `// code: ...` the code in JSON. A rule uses the graph's own labels and properties; null
counts as not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.errors import (
    BadInput,
    KinfolioError,
    NotFound,
    ServerUnreachable,
    WrongPassword,
    quoted,
)
from kinfolio.os_errors import refusal

BUILT_IN = ("held", "dismissed", "closed", "country", "risk", "unrated", "new", "own")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_CUSTOMER = re.compile(r"customer(?: (\w+))?:\s*(.*)")
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One own rule."""

    name: str
    reason: str
    condition: str
    """A boolean Cypher expression about `u` and `p`."""
    code: str = ""
    """Reason code in JSON; `OWN:name` unless the file gives one."""
    sentences: tuple[tuple[str, str], ...] = ()
    """By language: what the user is told, as it follows "is not for you:"."""

    def sentence(self, language: str) -> str:
        """Return what the user is told; in English the reason if the file has no sentence."""
        own = dict(self.sentences).get(language, "")
        return own or (self.reason.rstrip(".") if language == "en" else "")


def read_rules(graph: Graph, folder: Path) -> tuple[Rule, ...]:
    """Read the rules of a folder in the order of their names; the server plans each once.

    Raises:
        NotFound: there is no such folder, or no rule in it.
        BadInput: a file is not a read-only condition.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder of rules {folder}; give one with --rules FOLDER")
    files = sorted(folder.glob("*.cypher"))
    if not files:
        raise NotFound(f"{folder} holds no rule; a rule is a file NAME.cypher with a condition")
    rules = tuple(_read(file) for file in files)
    for file, rule in zip(files, rules, strict=True):
        _check(file, rule, graph)
    return rules


def conditions_of(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return the conditions, as `Graph.read` takes them."""
    return tuple(rule.condition for rule in rules)


def _read(file: Path) -> Rule:
    name = file.stem
    if not _NAME.fullmatch(name) or name in BUILT_IN:
        raise BadInput(
            f"{file} cannot name a rule: use small letters, digits, - and _, "
            f"and none of {', '.join(BUILT_IN)}"
        )
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        damaged = BadInput(f"{file} cannot be read as a rule ({error}); write it in UTF-8")
        raise refusal(error, file) or damaged from error
    header: list[str] = []
    while lines and (not lines[0].strip() or lines[0].lstrip().startswith("//")):
        header.append(lines.pop(0).strip().removeprefix("//").strip())
    condition = "\n".join(lines).strip()
    code, sentences, header = _read_header(file, header)
    reason = " ".join(text for text in header if text)
    if not condition:
        raise BadInput(
            f"{file} holds no condition; write one about u and p, like: "
            "p.minimum_age IS NULL OR p.minimum_age <= u.age"
        )
    return Rule(
        name=name,
        reason=reason or f"the rule {name} of {file.parent.name}",
        condition=condition,
        code=code or f"OWN:{name}",
        sentences=sentences,
    )


def _read_header(
    file: Path, lines: list[str]
) -> tuple[str, tuple[tuple[str, str], ...], list[str]]:
    """Return code, sentences for the user by language, and the other lines of a rule's header."""
    code, sentences, others = "", {}, []
    for line in lines:
        if found := _CUSTOMER.fullmatch(line):
            text = " ".join(found[2].split()).rstrip(".")
            if not 0 < len(text) <= _MOST_CHARACTERS or not text.isprintable():
                raise BadInput(
                    f"{file}: the sentence for customers has {len(text)} characters; give 1 to "
                    f"{_MOST_CHARACTERS}, like: // customer: it is for adults only"
                )
            sentences[found[1] or "en"] = text
        elif line.startswith("code:"):
            code = line.removeprefix("code:").strip()
            if not _CODE.fullmatch(code):
                raise BadInput(
                    f"{file}: the code is {quoted(code)}; give capitals, digits and _, like: "
                    "// code: MINIMUM_AGE"
                )
        else:
            others.append(line)
    return code, tuple(sentences.items()), others


def _check(file: Path, rule: Rule, graph: Graph) -> None:
    try:
        # AND accepts only booleans, so the planner rejects any other expression.
        graph.read("recommend_rule_check", conditions=(f"(\n{rule.condition}\n) AND true",))
    except (ServerUnreachable, WrongPassword):
        raise
    except KinfolioError as error:
        raise BadInput(
            f"{file} is no condition about u and p that only reads "
            f"({_server_message(error)}); write one like: "
            "p.minimum_age IS NULL OR p.minimum_age <= u.age"
        ) from error


def _server_message(error: KinfolioError) -> str:
    """Return the server's own message."""
    cause = error.__cause__
    text = str(getattr(cause, "message", None) or cause or error)
    return " ".join(text.split("\n")[0].split())[:160].rstrip(".")
