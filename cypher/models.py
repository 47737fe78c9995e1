"""The graph as py2neo models, to explore it in Python; and one node for `kinfolio show`.

Read-only; loading, training and serving use `graph.py`. `docs/cypher.md` lists the functions of
py2neo that fail on current servers, above all push.

    with explore(connection) as graph:
        user = User.match(graph, "u1").first()
        print(user.name, [product.name for product in user.holds])
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import py2neo
from py2neo.client import bolt
from py2neo.errors import ConnectionBroken, ConnectionUnavailable, Neo4jError, ServiceUnavailable
from py2neo.ogm import Model, Property, Related, RelatedFrom, RelatedTo
from py2neo.wiring import Wire, WireError

from kinfolio.cypher.errors import unreachable
from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound, ServerError, quoted
from kinfolio.records import Connection, NodeView

SAMPLE = 10
"""Related nodes of each kind in the output of `kinfolio show`."""
_MAX_LIST = 16
"""A longer list of numbers is a vector, displayed by its length."""
# Maps have no order.
_ORDER = ("holds", "holders", "ties", "categories", "reviews", "dismissed", "dismissals")
_STATEMENTS = {"user": "show_user", "product": "show_product"}
_COLUMNS = (
    *("review", "product", "user", "category", "name"),
    *("kind", "direction", "rating", "at", "split", "text"),
)


def _properties(number: int) -> Iterator[Property]:
    return (Property() for _ in range(number))


# py2neo has no types, hence the `misc` below: its classes are Any to the type checker.
class Category(Model):  # type: ignore[misc]
    """A category of products."""

    __primarykey__ = "name"
    name = Property()
    products = RelatedFrom("Product", "IN_CATEGORY")


class Review(Model):  # type: ignore[misc]
    """A user's text about a product."""

    __primarykey__ = "id"
    id, text, rating, at, split = _properties(5)
    author = RelatedFrom("User", "WROTE")
    about = RelatedTo("Product", "ABOUT")


class Product(Model):  # type: ignore[misc]
    """Something that users hold."""

    __primarykey__ = "id"
    id, gid, changed = _properties(3)
    name, kind, sector, text, risk, open, countries = _properties(7)
    embedding_a, embedding_b, message_a, message_b = _properties(4)
    similar_a, similar_b, similar_weight_a, similar_weight_b = _properties(4)
    new_a, new_b = _properties(2)
    categories = RelatedTo(Category, "IN_CATEGORY")
    holders = RelatedFrom("User", "HOLDS")
    reviews = RelatedFrom(Review, "ABOUT")
    dismissed_by = RelatedFrom("User", "DISMISSED")
    recommended_to = RelatedFrom("User", "RECOMMENDED")


class User(Model):  # type: ignore[misc]
    """A holder of products; `ann.holds.get(fund, "rating")` reads a relationship."""

    __primarykey__ = "id"
    id, gid, changed = _properties(3)
    name, risk_tolerance, country = _properties(3)
    embedding_a, embedding_b, message_a, message_b = _properties(4)
    own_a, own_b, counted_a, counted_b = _properties(4)
    holds = RelatedTo(Product, "HOLDS")
    dismissed = RelatedTo(Product, "DISMISSED")
    recommended = RelatedTo(Product, "RECOMMENDED")
    ties = Related("User", "TIED_TO")
    tied_to = RelatedTo("User", "TIED_TO")
    tied_from = RelatedFrom("User", "TIED_TO")
    reviews = RelatedTo(Review, "WROTE")


class EmbeddingVersion(Model):  # type: ignore[misc]
    """A version of the embeddings, and its slot."""

    __primarykey__ = "name"
    name, slot, state, model, similarity, heads, dim, property, index = _properties(9)
    metrics, created_at, snapshot, users, products, index_recall, length, linked = _properties(8)


@contextmanager
def explore(connection: Connection) -> Iterator[Any]:
    """Open a `py2neo.Graph` of the database.

    Raises:
        ServerUnreachable: nothing answers.
        WrongPassword: the server refuses the user.
    """
    # The driver reports an unreachable server earlier and more precisely than py2neo.
    with Graph(connection) as graph:
        graph.check()
    opened = None
    limited = _limited_wire(connection.timeout)
    unlimited, bolt.Wire = bolt.Wire, limited
    try:
        opened = py2neo.Graph(
            connection.uri,
            auth=(connection.username, connection.password),
            name=connection.database,
        )
        yield opened
    except (ConnectionUnavailable, ConnectionBroken, ServiceUnavailable, WireError) as error:
        raise unreachable(connection, error, "a read through py2neo") from error
    except Neo4jError as error:
        raise ServerError(
            f"the database refused a read through py2neo ({error}); see its log for more"
        ) from error
    finally:
        bolt.Wire = unlimited
        if opened is not None:
            # py2neo would leave its sockets open until the process ends.
            opened.service.connector.close()


def _limited_wire(seconds: float) -> type[Wire]:
    """Return py2neo's connection with a limit for each wait; its own waits without end."""

    class LimitedWire(Wire):  # type: ignore[misc]  # py2neo has no types
        @classmethod
        def open(cls, address: Any, timeout: float | None = None, **options: Any) -> Any:
            return super().open(address, timeout=timeout or seconds, **options)

        def __init__(self, opened: Any, **options: Any) -> None:
            super().__init__(opened, **options)
            opened.settimeout(seconds)

    return LimitedWire


def show(
    graph: Graph, kind: Literal["user", "product"], key: str, *, sample: int = SAMPLE
) -> NodeView:
    """Return a user or product by id: properties, and counts and samples of related nodes.

    `sample` is the largest number of related nodes of each kind.

    Raises:
        NotFound: there is no such user or product.
    """
    label = kind.capitalize()
    # By the driver, which has time limits and knows every type of value; py2neo has neither.
    rows = graph.read(_STATEMENTS[kind], id=key, sample=sample)
    if not rows:
        count = graph.read("show_counts")[0][f"{kind}s"]
        raise NotFound(
            f"there is no {kind} {quoted(key)} among the {count:,} in the graph; "
            + ("check the id" if count else "type: kinfolio load FOLDER")
        )
    row = rows[0]
    properties = dict(sorted(row["properties"].items()))
    properties.pop(graph.names.key(label), None)
    return NodeView(
        label=graph.names.label(label),
        id=key,
        properties={name: value for name, value in properties.items() if not _is_vector(value)},
        vectors={name: len(value) for name, value in properties.items() if _is_vector(value)},
        counts={name: row["counts"][name] for name in _ORDER if name in row["counts"]},
        samples={
            name: tuple(
                {column: sample[column] for column in _COLUMNS if column in sample}
                for sample in row["samples"][name]
            )
            for name in _ORDER
            if name in row["samples"]
        },
    )


def _is_vector(value: Any) -> bool:
    return isinstance(value, list) and len(value) > _MAX_LIST and isinstance(value[0], int | float)
