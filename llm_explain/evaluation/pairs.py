"""Pairs of user and product whose explanations are evaluated."""

from __future__ import annotations

import csv
import random
from contextlib import suppress
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadInput, NotFound
from kinfolio.gnn.serving.recommend import recommend, score_of
from kinfolio.os_errors import refusal

Pairs = list[tuple[str, str, float]]
"""User, product and score."""
References = dict[tuple[str, str], str]
"""Text of a user and a product."""
_MOST_OF_A_USER = 5
"""Products of one user, so that the pairs cover many users."""
_COLUMNS = ("user", "product", "explanation")


def recommended_pairs(graph: Graph, num_pairs: int, seed: int) -> Pairs:
    """Return recommendations of random users with their scores."""
    users = [row["id"] for row in graph.read("explain_users")]
    random.Random(seed).shuffle(users)
    k = max(1, min(_MOST_OF_A_USER, num_pairs // 40))
    pairs: Pairs = []
    for user in users:
        if len(pairs) >= num_pairs:
            break
        products = recommend(graph, user, k).products
        pairs += [(user, one.product, one.score) for one in products]
    return pairs[:num_pairs]


def scored_pairs(graph: Graph, references: References, num_pairs: int) -> Pairs:
    """Return the first pairs of the references that have a score."""
    pairs: Pairs = []
    for user, product in references:
        if len(pairs) == num_pairs:
            break
        with suppress(NotFound):
            score = score_of(graph, user, product)
            if score is not None:
                pairs.append((user, product, score))
    return pairs


def read_references(file: Path) -> References:
    """Read a tab-separated file with the columns user, product and explanation.

    Raises:
        NotFound: there is no such file.
        BadInput: it is not such a file, or has no rows.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            if missing := set(_COLUMNS) - set(rows.fieldnames or ()):
                raise BadInput(
                    f"{file} lacks the columns {', '.join(sorted(missing))}; "
                    f"give tab-separated {', '.join(_COLUMNS)} with a header"
                )
            references = {
                (row["user"], row["product"]): row["explanation"]
                for row in rows
                if all(row[column] for column in _COLUMNS)
            }
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}; give a tsv file of references") from error
    except (UnicodeDecodeError, OSError) as error:
        damaged = BadInput(f"{file} cannot be read as text in UTF-8; give a tsv file")
        raise refusal(error, file) or damaged from error
    if not references:
        raise BadInput(f"{file} has no reference; give at least one row below the header")
    return references
