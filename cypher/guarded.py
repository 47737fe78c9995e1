"""Statements of a language model: parsed, written anew, and run with limits. Off by default.

`guarded.lark` is the whole language. The server never receives the model's text: keywords come from
the grammar, names are quoted, and literals are parameters. Thus server and check cannot read one
text in two ways.
"""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput

SERVER_SECONDS = 2.0
"""Time limit of the server for planning and for running."""
TIMEOUT_SECONDS = 5.0
"""Time limit on this side for both: the server's does not cover its parser or the network."""
MAX_ROWS = 50
MAX_STATEMENT_LENGTH = 1_500
MAX_RELATIONSHIPS = 10
"""Of one statement: the server plans a chain of 16 for more than two seconds."""
_MAX_VALUE_LENGTH = 200
_FORBIDDEN_OPERATORS = ("AllNodesScan", "AllRelationshipsScan", "ProcedureCall", "LoadCSV")
_log = logging.getLogger(__name__)

Parameters = dict[str, str | int | float]


def guarded_rows(graph: Graph, text: str, user_id: str) -> list[dict[str, Any]]:
    """Return the rows of a statement about the data of one user, with values shortened.

    Args:
        graph: the database, with the standard names.
        text: the statement, with the parameter `$user_id`.
        user_id: the user's id, from the session.

    Raises:
        BadInput: the statement is not allowed, cannot be planned, or exceeds the time limit. The
            text contains no word of the statement: it is shown to the user.
    """
    if graph.mapping is not None:
        raise BadInput("generated statements do not support a mapping; omit --mapping")
    statement, parameters = rewritten(text)
    columns, rows = _run(graph, statement, {**parameters, "user_id": user_id})
    return [dict(zip(columns, map(_cell, row), strict=True)) for row in rows]


def rewritten(text: str) -> tuple[str, Parameters]:
    """Return a statement in the server's words, and its literals as parameters.

    Raises:
        BadInput: it is too long, or not in the grammar.
    """
    if len(text) > MAX_STATEMENT_LENGTH:
        raise _refused(f"it has more than {MAX_STATEMENT_LENGTH:,} characters")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        where = error.pos_in_stream
        place = "its end" if where is None or where < 0 else f"character {where + 1}"
        raise _refused(f"what stands at {place} is not allowed") from error
    words: list[str] = []
    parameters: Parameters = {}
    for part in tree.children:
        tokens = part.children if isinstance(part, Tree) else [part]
        words += [_word(token, parameters) for token in tokens if isinstance(token, Token)]
        if isinstance(part, Tree) and part.data == "column" and "AS" not in map(_type, tokens):
            words.append(f"AS `{''.join(map(str, tokens))}`")
    if words.count("-") > 2 * MAX_RELATIONSHIPS:
        raise _refused(f"it has more than {MAX_RELATIONSHIPS} relationships")
    return " ".join(words), parameters


def _word(token: Token, parameters: Parameters) -> str:
    if token.type == "NAME":
        return f"`{token}`"
    if token.type not in ("TEXT", "NUMBER"):
        return str(token)
    name = f"literal{len(parameters)}"
    if token.type == "TEXT":
        parameters[name] = token[1:-1]
    else:
        parameters[name] = float(token) if "." in token else int(token)
    return f"${name}"


def _type(token: Any) -> str:
    # Any: tokens and trees are generic in lark.
    return str(token.type)


@cache
def _parser() -> Lark:
    grammar = files("kinfolio.cypher").joinpath("guarded.lark").read_text("utf-8")
    # ASCII: otherwise the Kelvin sign is a k, and a no-break space a space.
    return Lark(grammar, parser="lalr", keep_all_tokens=True, g_regex_flags=re.ASCII)


def _run(graph: Graph, text: str, parameters: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Run a statement over a connection of its own, which is cut when time is up."""
    with ThreadPoolExecutor(1) as thread, closing(Graph(graph.connection)) as own:
        own.check()  # opens the driver, which is then there to be closed
        try:
            return thread.submit(
                own.run_text,
                "the generated statement",
                text,
                parameters,
                seconds=SERVER_SECONDS,
                limit=MAX_ROWS,
                forbidden=_FORBIDDEN_OPERATORS,
            ).result(TIMEOUT_SECONDS)
        except (BadInput, TimeoutError) as error:
            _log.info("%s: %s", text, error)
            raise BadInput(
                "the generated statement cannot be run: the server does not accept it, or it takes "
                f"more than {SERVER_SECONDS:g} seconds"
            ) from error


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
