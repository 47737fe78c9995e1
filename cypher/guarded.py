"""Statements of a language model: checked, planned, and run with limits. Off by default.

Labels, types, properties and functions must be on allow-lists; procedures are not allowed. Users,
holdings, reviews, ties and dismissals are private: each pattern with them must begin at
`(me:User {id: $user_id})`. Thus each pattern is safe independently of the rest of the statement.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.mapping.patterns import Link, Node, Statement
from kinfolio.errors import BadInput

TIMEOUT_SECONDS = 2.0
MAX_ROWS = 50
MAX_STATEMENT_LENGTH = 1_500
_MAX_VALUE_LENGTH = 200

_WORDS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(
        files("kinfolio.cypher").joinpath("guarded.toml").read_text("utf-8")
    ).items()
}
_KEYWORDS, _FORBIDDEN = _WORDS["keywords"], _WORDS["forbidden_words"]
_SYMBOLS = frozenset("(),.=<>+-*/%[]")
"""Symbols that are allowed outside patterns."""
_CURRENT_USER = ["{", "id", ":", "$user_id", "}"]
_PATTERN = "a pattern"
"""Placeholder of a checked pattern."""
_OPERATORS = frozenset({("with", "starts"), ("with", "ends")})


def guarded_rows(graph: Graph, text: str, user_id: str) -> list[dict[str, Any]]:
    """Return the rows of a statement about the data of one user, with values shortened.

    Args:
        graph: the database, with the standard names.
        text: the statement, with the parameter `$user_id`.
        user_id: the user's id, from the session.

    Raises:
        BadInput: the statement is not allowed, cannot be planned, or exceeds the time limit.
    """
    if graph.mapping is not None:
        raise BadInput("generated statements do not support a mapping; omit --mapping")
    check_statement(text)
    columns, rows = graph.run_text(
        "the generated statement",
        text,
        {"user_id": user_id},
        seconds=TIMEOUT_SECONDS,
        limit=MAX_ROWS,
        forbidden=("AllNodesScan", "AllRelationshipsScan", "ProcedureCall", "LoadCSV"),
    )
    return [dict(zip(columns, map(_cell, row), strict=True)) for row in rows]


def check_statement(text: str) -> None:
    """Check a statement before it is sent to the server.

    Raises:
        BadInput: a part of it is not allowed.
    """
    if len(text) > MAX_STATEMENT_LENGTH:
        raise _refused(f"it has more than {MAX_STATEMENT_LENGTH:,} characters")
    # Cypher decodes escapes before parsing; comments could hide joined tokens.
    for part in ("\\", "`", "//", "/*", ";"):
        if part in text:
            raise _refused(f"it contains {part}")
    read = Statement(text)
    tokens = zip(read.kinds, read.words, strict=True)
    if not "".join([*read.spaces, *(word for kind, word in tokens if kind != "text")]).isascii():
        raise _refused("it has non-ASCII characters outside string literals")
    ends: dict[int, int] = {}
    for nodes, links in _paths(read):
        _check_path(read, nodes, links)
        ends[nodes[0].open] = nodes[-1].close
    rest, place = [("", "")], 0
    while place < len(read.words):
        is_pattern = place in ends
        rest.append(("", _PATTERN) if is_pattern else (read.kinds[place], read.words[place]))
        place = ends.get(place, place) + 1
    _check_rest([*rest, ("", "")])


def _paths(read: Statement) -> Iterator[tuple[list[Node], list[Link]]]:
    """Yield the nodes and relationships of each pattern."""
    following = {link.left: link for link in read.links}
    inner = {link.right for link in read.links}
    for node in read.nodes.values():
        if node.open not in inner:
            nodes, links = [node], []
            while (link := following.get(nodes[-1].close)) is not None:
                links.append(link)
                nodes.append(read.right(link))
            yield nodes, links


def _check_path(read: Statement, nodes: list[Node], links: list[Link]) -> None:
    before = read.at(nodes[0].open - 1)
    if read.is_word(nodes[0].open - 1) and before.casefold() not in _KEYWORDS:
        raise _refused(f"{before} is called with a pattern")
    for node in nodes:
        _check_node(read, node)
    own_reviews: list[Node] = []
    for link in links:
        if len(link.types) != 1 or link.close != link.types[0] + 1:
            raise _refused("a relationship has no type, or more than one")
        _check_variable(read, link.variable)
        kind = read.words[link.types[0]]
        _check_link(read, link, kind, is_alone=len(links) == 1)
        if kind == "WROTE":
            left, right = read.left(link), read.right(link)
            own_reviews.append(right if _is_current_user(read, left) else left)
    if any(_label(read, node) == "Review" and node not in own_reviews for node in nodes):
        raise _refused("a review must follow (me:User {id: $user_id})-[:WROTE]->")


def _check_node(read: Statement, node: Node) -> None:
    label = _label(read, node)
    if not label:
        if node.close == node.open + 1:
            return
        raise _refused("a relationship ends at a node without a label")
    if label not in _WORDS["labels"]:
        raise _refused(f"the label {label} is not allowed")
    end = read.pair[node.map] if node.map is not None else node.labels[0]
    if len(node.labels) != 1 or node.close != end + 1:
        raise _refused("a node has more than one label and properties")
    _check_variable(read, node.variable)
    if label == "User" and not _is_current_user(read, node):
        raise _refused("the only allowed user is (me:User {id: $user_id})")
    for place in range(node.map + 1, end) if node.map is not None else ():
        name = read.at({":": place - 1, ".": place + 1}.get(read.at(place), -1))
        if read.at(place) in (":", ".") and name not in _WORDS["properties"]:
            raise _refused(f"the property {name} is not allowed")
        if read.at(place) == ":" and read.at(place - 2) not in ("{", ","):
            raise _refused("the properties of a node are not a map of names to values")
        if read.kinds[place] == "symbol" and read.at(place) not in ",.:-":
            raise _refused(f"{read.at(place)!r} is not allowed in the properties of a node")
        _check_parameter(read.kinds[place], read.at(place))


def _check_link(read: Statement, link: Link, kind: str, *, is_alone: bool) -> None:
    ends = (read.left(link), read.right(link))
    current_users = [_is_current_user(read, end) for end in ends]
    nameless = [not end.labels for end in ends]
    if kind not in _WORDS["types"]:
        raise _refused(f"the type {kind} is not allowed")
    if kind in _WORDS["private_types"] and not any(current_users):
        raise _refused(f"{kind} must connect (me:User {{id: $user_id}})")
    if kind != "TIED_TO" and any(nameless):
        raise _refused("a node has no label")
    if kind == "TIED_TO" and not (any(nameless) and link.variable is None and is_alone):
        raise _refused("ties can only be counted: (me:User {id: $user_id})-[:TIED_TO]-()")


def _check_rest(tokens: list[tuple[str, str]]) -> None:
    """Check the tokens outside the patterns; the first and last token are empty."""
    depth, is_returning = 0, False
    for place in range(1, len(tokens) - 1):
        kind, word = tokens[place]
        before, after = tokens[place - 1][1], tokens[place + 1][1]
        lower = word.casefold() if kind == "word" else ""
        if kind == "symbol" and (word not in _SYMBOLS or word + after in _WORDS["forbidden_pairs"]):
            raise _refused(f"{(word + after)!r} is not allowed outside patterns")
        _check_parameter(kind, word)
        if word == "(":
            _check_call(tokens, place)
        if word == "[" and tokens[place + 1][0] == "text":
            raise _refused("properties must be named one by one")
        if before == "." and word != "." and word not in _WORDS["properties"] and kind != "number":
            raise _refused(f"the property {word} is not allowed")
        if lower in _FORBIDDEN or (lower in _KEYWORDS and before.casefold() in ("as", ".")):
            raise _refused(f"{word.upper()} is not allowed")
        if lower == "match":
            _check_match(tokens, place + 1)
        # A literal is not a fact of the graph: it may be compared with, but not returned.
        depth += (word in ("(", "[")) - (word in (")", "]"))
        if lower in _WORDS["returning"] and (lower, before.casefold()) not in _OPERATORS:
            is_returning = True
        elif lower in _WORDS["not_returning"] and depth == 0:
            is_returning = False
        if is_returning and kind in ("text", "number"):
            raise _refused("it returns a literal text or number")


def _check_call(tokens: list[tuple[str, str]], place: int) -> None:
    kind, name = tokens[place - 1]
    is_called = kind == "parameter" or (kind == "word" and name.casefold() not in _KEYWORDS)
    if is_called and (name.casefold() not in _WORDS["functions"] or tokens[place - 2][1] == "."):
        raise _refused(f"the function {name} is not allowed")
    if not is_called and tokens[place + 1][1] == ")":
        raise _refused("a node has no label")


def _check_match(tokens: list[tuple[str, str]], place: int) -> None:
    """Check that MATCH has only checked patterns: a bare variable could be any node."""
    while tokens[place][1] == _PATTERN and tokens[place + 1][1] == ",":
        place += 2
    if tokens[place][1] != _PATTERN or tokens[place + 1][1].casefold() not in _WORDS["after_match"]:
        raise _refused("MATCH is followed by an unlabelled pattern")


def _check_variable(read: Statement, place: int | None) -> None:
    if place is not None and (
        not read.at(place)[0].islower() or read.at(place) in _KEYWORDS | _FORBIDDEN
    ):
        raise _refused(f"{read.at(place)} is not allowed as a variable")


def _check_parameter(kind: str, word: str) -> None:
    if kind == "parameter" and word != "$user_id":
        raise _refused("$user_id is the only parameter")


def _label(read: Statement, node: Node) -> str:
    return read.words[node.labels[0]] if node.labels else ""


def _is_current_user(read: Statement, node: Node) -> bool:
    return (
        _label(read, node) == "User"
        and node.map is not None
        and read.words[node.map : read.pair[node.map] + 1] == _CURRENT_USER
    )


def _refused(why: str) -> BadInput:
    return BadInput(f"the generated statement was not run: {why}")


def _cell(value: Any) -> str | int | float | bool | None:
    # Any: a value that the statement returned; nodes and lists become short texts.
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        value = ", ".join(str(_cell(one)) for one in value)
    elif hasattr(value, "labels"):
        value = value.get("name") or value.get("id") or "?"
    elif hasattr(value, "type"):
        value = value.type
    text = " ".join(str(value).split())
    return text if len(text) <= _MAX_VALUE_LENGTH else text[: _MAX_VALUE_LENGTH - 1] + "…"
