"""The graph as py2neo models, for people who explore it in Python, and for `kinfolio show`.

Everything here reads; loading, training and serving go through `graph.py`. What py2neo cannot do on
servers of today, pushing above all: `docs/py2neo.md`.

    with explore(connection) as graph:
        user = User.match(graph, "u1").first()
        print(user.name, [product.name for product in user.holds])
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import py2neo
from py2neo.errors import (
    ConnectionBroken,
    ConnectionUnavailable,
    Neo4jError,
    ServiceUnavailable,
)
from py2neo.ogm import Model, Property, Related, RelatedFrom, RelatedTo
from py2neo.wiring import WireError

from kinfolio.cypher.errors import unreachable
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.queries import query
from kinfolio.errors import NotFound, ServerError
from kinfolio.records import Connection, NodeView

SAMPLE = 10
"""Related nodes listed of each kind."""
_LONGEST_LIST = 16
"""A property with more values is a vector; its length is shown, not its numbers."""
# Maps come back in no order.
_ORDER = ("holds", "holders", "ties", "categories", "reviews", "dismissed", "dismissals")
_COLUMNS = (
    *("review", "product", "user", "category", "name"),
    *("kind", "direction", "rating", "at", "split", "text"),
)


# py2neo has no types, hence the `misc` below: its classes are Any to the type checker.
class Category(Model):  # type: ignore[misc]
    """A category of products."""

    __primarykey__ = "name"
    name = Property()
    products = RelatedFrom("Product", "IN_CATEGORY")


class Review(Model):  # type: ignore[misc]
    """What a user wrote about a product."""

    __primarykey__ = "id"
    id = Property()
    text = Property()
    rating = Property()
    at = Property()
    split = Property()
    author = RelatedFrom("User", "WROTE")
    about = RelatedTo("Product", "ABOUT")


class Product(Model):  # type: ignore[misc]
    """Something that can be held."""

    __primarykey__ = "id"
    id = Property()
    gid = Property()
    changed = Property()
    name = Property()
    kind = Property()
    sector = Property()
    risk = Property()
    open = Property()
    countries = Property()
    text = Property()
    embedding_a = Property()
    embedding_b = Property()
    message_a = Property()
    message_b = Property()
    similar_a = Property()
    similar_b = Property()
    similar_weight_a = Property()
    similar_weight_b = Property()
    categories = RelatedTo(Category, "IN_CATEGORY")
    holders = RelatedFrom("User", "HOLDS")
    reviews = RelatedFrom(Review, "ABOUT")
    dismissed_by = RelatedFrom("User", "DISMISSED")
    recommended_to = RelatedFrom("User", "RECOMMENDED")


class User(Model):  # type: ignore[misc]
    """A person who holds products; `ann.holds.get(fund, "rating")` reads a relationship."""

    __primarykey__ = "id"
    id = Property()
    gid = Property()
    changed = Property()
    name = Property()
    risk_tolerance = Property()
    country = Property()
    embedding_a = Property()
    embedding_b = Property()
    message_a = Property()
    message_b = Property()
    own_a = Property()
    own_b = Property()
    counted_a = Property()
    counted_b = Property()
    holds = RelatedTo(Product, "HOLDS")
    dismissed = RelatedTo(Product, "DISMISSED")
    recommended = RelatedTo(Product, "RECOMMENDED")
    ties = Related("User", "TIED_TO")
    tied_to = RelatedTo("User", "TIED_TO")
    tied_from = RelatedFrom("User", "TIED_TO")
    reviews = RelatedTo(Review, "WROTE")


class EmbeddingVersion(Model):  # type: ignore[misc]
    """One set of embeddings, and the slot that holds it."""

    __primarykey__ = "name"
    name = Property()
    slot = Property()
    state = Property()
    model = Property()
    similarity = Property()
    heads = Property()
    dim = Property()
    property = Property()
    index = Property()
    metrics = Property()
    created_at = Property()
    snapshot = Property()
    users = Property()
    products = Property()
    index_recall = Property()
    length = Property()
    linked = Property()


@contextmanager
def explore(connection: Connection) -> Iterator[Any]:
    """A `py2neo.Graph` of the database, closed at the end of the block.

    Raises:
        ServerUnreachable: nothing answers.
        WrongPassword: it refuses the user.
    """
    # py2neo waits long and explains little; the driver has told of a dead server by now.
    with Graph(connection) as graph:
        graph.check()
    opened = None
    try:
        opened = py2neo.Graph(
            connection.uri,
            auth=(connection.username, connection.password),
            name=connection.database,
        )
        yield opened
    except (ConnectionUnavailable, ConnectionBroken, ServiceUnavailable, WireError) as error:
        raise unreachable(connection) from error
    except Neo4jError as error:
        raise ServerError(
            f"the database refused a look at the graph ({error}); see its log for more"
        ) from error
    finally:
        if opened is not None:
            # Left alone, py2neo keeps its sockets open until the process ends.
            opened.service.connector.close()


def show_user(graph: Graph, user_id: str) -> NodeView:
    """A user: properties, how much hangs on it, and a few of each.

    Raises:
        NotFound: there is no such user.
    """
    return _shown(graph, "show_user", "user", user_id)


def show_product(graph: Graph, product_id: str) -> NodeView:
    """A product: properties, how much hangs on it, and a few of each.

    Raises:
        NotFound: there is no such product.
    """
    return _shown(graph, "show_product", "product", product_id)


def _shown(graph: Graph, statement: str, kind: Literal["user", "product"], key: str) -> NodeView:
    label = kind.capitalize()
    with explore(graph.connection) as explored:

        def run(name: str, **parameters: Any) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = explored.run(
                query(name, "a", graph.mapping), **parameters
            ).data()
            return rows

        rows = run(statement, id=key, sample=SAMPLE)
        if not rows:
            count = run("show_counts")[0][f"{kind}s"]
            raise NotFound(
                f"there is no {kind} {key!r} among the {count:,} in the graph; "
                + ("check the id" if count else "type: kinfolio load FOLDER")
            )
    row = rows[0]
    properties = {
        name: value
        for name, value in sorted(row["properties"].items())
        if name != graph.names.key(label)
    }
    return NodeView(
        label=graph.names.label(label),
        id=key,
        properties={name: value for name, value in properties.items() if not _is_vector(value)},
        vectors={name: len(value) for name, value in properties.items() if _is_vector(value)},
        counts={name: row["counts"][name] for name in _ORDER if name in row["counts"]},
        samples={
            name: tuple(_ordered(sample) for sample in row["samples"][name])
            for name in _ORDER
            if name in row["samples"]
        },
    )


def _ordered(sample: dict[str, Any]) -> dict[str, Any]:
    return {name: sample[name] for name in _COLUMNS if name in sample}


def _is_vector(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) > _LONGEST_LIST and isinstance(value[0], int | float)
    )
