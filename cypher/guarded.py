"""A statement that somebody else wrote, read under guard: looked at, planned, run with limits.

Off by default; for statements of a language model. What may be in it is a short list (labels,
types, properties and functions; no procedure at all). Private data is the asker's own only: users,
holdings, reviews, ties and dismissals may be named in patterns that begin at
`(me:User {id: $user_id})` and nowhere else, in every pattern anew. So a pattern is safe by itself,
whatever the rest of the statement does with its variables.
"""

from __future__ import annotations

import re
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput

TIMEOUT_SECONDS = 2.0
MOST_ROWS = 50
LONGEST_STATEMENT = 1_500
_LONGEST_VALUE = 200

LABELS = frozenset({"User", "Product", "Category", "Review"})
PRIVATE = frozenset({"HOLDS", "DISMISSED", "WROTE", "TIED_TO"})
TYPES = PRIVATE | {"ABOUT", "IN_CATEGORY"}
_PLACE = " § "
"""Stands for a pattern that was checked; no statement can hold it, since they are plain ASCII."""
_MATCHED = re.compile(
    r"\bmatch\s*§\s*(?:,\s*§\s*)*(?=(?:optional|match|where|with|return|unwind)\b)", re.IGNORECASE
)
PROPERTIES = frozenset(
    """
    id name kind risk open countries sector text rating at country risk_tolerance weight
    """.split()
)
FUNCTIONS = frozenset(
    """
    count sum avg min max collect size coalesce tolower toupper tostring tointeger tofloat
    round abs head last substring trim
    """.split()
)
_KEYWORDS = frozenset(
    """
    match optional where return with distinct order by asc ascending desc descending limit
    skip as and or not xor in is null true false contains starts ends unwind case when then
    else end
    """.split()
)
_ASKER = r"\(\s*(?P<me>[a-z]\w*)?\s*:\s*User\s*\{\s*id\s*:\s*\$user_id\s*\}\s*\)"
_NODE = re.compile(
    rf"(?P<asker>{_ASKER})"
    r"|\(\s*(?P<variable>[a-z]\w*)?\s*:\s*(?P<label>\w+)\s*(?:\{(?P<properties>[^{}()\[\]]*)\})?\s*\)"
    r"|(?P<nobody>\(\s*\))",
)
_LINK = re.compile(
    r"\s*(?P<left><)?-\s*\[\s*(?P<variable>[a-z]\w*)?\s*:\s*(?P<type>\w+)\s*\]\s*-(?P<right>>)?\s*"
)
_GIVEN = re.compile(
    r"(?:\breturn\b|\bunwind\b|(?<!starts )(?<!ends )\bwith\b)(.*?)"
    r"(?=\b(?:order|skip|limit|where|match|optional|return|unwind)\b|\bwith\b|$)",
    re.IGNORECASE,
)
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")


def guarded_rows(graph: Graph, text: str, user_id: str) -> list[dict[str, Any]]:
    """The rows of a reading statement about one user's own part of the graph; cells are cut short.

    Args:
        graph: the database, under kinfolio's own names.
        text: the statement; `$user_id` in it is the asker.
        user_id: the asker's key, from the session.

    Raises:
        BadInput: it is not among what may be asked, cannot be planned, or took too long.
    """
    if graph.mapping is not None:
        raise BadInput("generated statements need a graph with kinfolio's own names; no --mapping")
    check_statement(text)
    columns, rows = graph.run_text(
        "the generated statement",
        text,
        {"user_id": user_id},
        seconds=TIMEOUT_SECONDS,
        limit=MOST_ROWS,
        forbidden=("AllNodesScan", "AllRelationshipsScan", "ProcedureCall", "LoadCSV"),
    )
    return [dict(zip(columns, map(_cell, row), strict=True)) for row in rows]


def check_statement(text: str) -> None:
    """Look a statement over before the server sees it.

    Raises:
        BadInput: something in it is not on the lists; the text says what.
    """
    if len(text) > LONGEST_STATEMENT:
        raise _refused(f"it has more than {LONGEST_STATEMENT:,} characters")
    # Escapes are turned into characters before Cypher is read, comments hide what is joined.
    for mark, name in (("\\", "a backslash"), ("`", "a backtick"), ("//", "a comment")):
        if mark in text:
            raise _refused(f"it has {name}")
    if "/*" in text or ";" in text:
        raise _refused("it has a comment or a second statement")
    bare = _TEXT.sub("''", text)
    if not bare.isascii() or '"' in bare or bare.count("'") % 2:
        raise _refused("it has letters outside texts that Cypher does not need")
    if set(re.findall(r"\$\s*(\w*)", bare)) - {"user_id"}:
        raise _refused("$user_id is the only parameter")
    rest = _without_patterns(bare)
    _check_rest(rest)


def _without_patterns(bare: str) -> str:
    """The statement with its patterns taken out, each of which is checked."""
    pieces, place = [], 0
    while match := _NODE.search(bare, place):
        # A name before it makes it a call, like count(), not a node.
        before = bare[: match.start()].rstrip()
        word = re.search(r"(\w+)$", before)
        if match["nobody"] and word and word.group(1).casefold() not in _KEYWORDS:
            pieces.append(bare[place : match.end()])
            place = match.end()
            continue
        pieces.append(bare[place : match.start()] + _PLACE)
        place = _check_pattern(bare, match)
    pieces.append(bare[place:])
    return "".join(pieces)


def _check_pattern(bare: str, node: re.Match[str]) -> int:
    """Check a path that begins with a node; where it ends."""
    nodes, links = [node], []
    end = node.end()
    while link := _LINK.match(bare, end):
        other = _NODE.match(bare, link.end())
        if other is None:
            raise _refused("a relationship ends at something that is no labelled node")
        links.append(link)
        nodes.append(other)
        end = other.end()
    for one in nodes:
        _check_node(one)
    for place, link in enumerate(links):
        _check_link(link, nodes[place], nodes[place + 1], nodes, links, place)
    if any(one["nobody"] for one in nodes) and not links:
        raise _refused("a node has no label")
    _check_reviews(nodes, links)
    return end


def _check_node(node: re.Match[str]) -> None:
    if node["asker"] or node["nobody"]:
        return
    label = node["label"]
    if label not in LABELS:
        raise _refused(f"the label {label} is not on the list")
    if label == "User":
        raise _refused("the only user that may be named is (me:User {id: $user_id})")
    for name in re.findall(r"(\w+)\s*:", node["properties"] or ""):
        if name not in PROPERTIES:
            raise _refused(f"the property {name} is not on the list")


def _check_link(
    link: re.Match[str],
    left: re.Match[str],
    right: re.Match[str],
    nodes: list[re.Match[str]],
    links: list[re.Match[str]],
    place: int,
) -> None:
    kind = link["type"]
    if kind not in TYPES:
        raise _refused(f"the type {kind} is not on the list")
    if kind in PRIVATE and not (left["asker"] or right["asker"]):
        raise _refused(f"{kind} may only be asked of (me:User {{id: $user_id}})")
    other = right if left["asker"] else left
    if kind == "TIED_TO" and (not other["nobody"] or link["variable"] or len(links) > 1):
        raise _refused("ties may only be counted, as (me:User {id: $user_id})-[:TIED_TO]-()")
    if kind != "TIED_TO" and (left["nobody"] or right["nobody"]):
        raise _refused("a node has no label")


def _check_reviews(nodes: list[re.Match[str]], links: list[re.Match[str]]) -> None:
    """A review must be reached from its writer, who is the asker, in the same pattern."""
    for place, node in enumerate(nodes):
        if node["label"] != "Review":
            continue
        around = [
            link["type"] == "WROTE" and bool(nodes[other]["asker"])
            for link, other in (
                (links[place - 1], place - 1) if place else (None, 0),
                (links[place], place + 1) if place < len(links) else (None, 0),
            )
            if link is not None
        ]
        if not any(around):
            raise _refused(
                "a review may only be asked for behind (me:User {id: $user_id})-[:WROTE]->"
            )


def _check_rest(rest: str) -> None:
    for odd in ("-[", "]-", "--", "->", "<-", "(:", "( :", "{", "}", "$(", "=~", "((", "::", "|"):
        if odd in re.sub(r"\s+", " ", rest):
            raise _refused(f"{odd!r} stands outside the patterns that may be asked")
    if re.search(r"\(\s*[A-Za-z_]\w*\s*:", rest) or re.search(r"\w\s*:\s*[A-Za-z_]", rest):
        raise _refused("a label stands outside a pattern")
    for match in re.finditer(r"([A-Za-z_][\w.]*)\s*\(", rest):
        word = match.group(1).casefold()
        if word not in FUNCTIONS and word not in _KEYWORDS:
            raise _refused(f"{match.group(1)} is not on the list of functions and procedures")
    # After MATCH only patterns may come: a variable in brackets, named or not, could be anybody.
    if len(_MATCHED.findall(rest)) != len(re.findall(r"\bmatch\b", rest, re.IGNORECASE)):
        raise _refused("after MATCH comes something that is no labelled pattern")
    # What a statement says of its own is no fact of the graph: it may compare with texts and
    # numbers, and never give them back.
    for given in _GIVEN.findall(re.sub(r"\s+", " ", rest)):
        if re.search(r"'|(?<![\w.])\d", given):
            raise _refused("it gives back a text or number of its own")
    for name in re.findall(r"\.\s*([A-Za-z_]\w*)", rest):
        if name not in PROPERTIES:
            raise _refused(f"the property {name} is not on the list")
    if re.search(r"\.\s*\*|\[\s*'", rest):
        raise _refused("properties must be named one by one")
    words = {word.casefold() for word in re.findall(r"[A-Za-z_]\w*", rest)}
    if found := words & _FORBIDDEN:
        raise _refused(f"{sorted(found)[0].upper()} is not allowed")


_FORBIDDEN = frozenset(
    """
    create merge delete detach set remove drop load csv use show terminate grant revoke deny
    alter call yield foreach finish insert union explain profile cypher using shortestpath
    allshortestpaths start stop periodic transactions apoc dbms gds search nodes keys
    properties labels startnode endnode elementid graph
    """.split()
)


def _refused(why: str) -> BadInput:
    return BadInput(f"the generated statement was not run: {why}")


def _cell(value: Any) -> str | int | float | bool | None:
    # Any: whatever the statement returned; nodes and lists become short texts.
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        value = ", ".join(str(_cell(one)) for one in value)
    elif hasattr(value, "labels"):
        value = value.get("name") or value.get("id") or "?"
    elif hasattr(value, "type"):
        value = value.type
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
