"""One hash of the content of a graph, independent of the order in which it was written.

Every node and relationship is hashed with its properties and the ids it joins; the hash of the
graph is the sum. Properties that kinfolio adds (vectors, versions, links, times of change) are
excluded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import repeat
from typing import Any

from kinfolio.cypher.graph import Graph, Reads, pages
from kinfolio.cypher.mapping.names import own_properties
from kinfolio.records import Progress, no_progress

USERS_PER_PAGE = 2_000
_ADDED = frozenset(own_properties()) - {"gid"}
_MODULUS = 2**128
_PER_USER = {
    "holdings": "load_hash_holdings",
    "ties": "load_hash_ties",
    "reviews": "load_hash_reviews",
}


def graph_hash(graph: Graph, *, with_gids: bool = True, progress: Progress = no_progress) -> str:
    """Return the hash of a graph, 32 hexadecimal digits; `with_gids` includes row numbers."""
    excluded = {"id"} if with_gids else {"id", "gid"}
    total = 0
    with graph.snapshot_reads() as reads:
        for item in _items(reads, excluded, progress):
            digest = hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            total += int.from_bytes(digest, "big")
    return f"{total % _MODULUS:032x}"


def _items(reads: Reads, excluded: set[str], progress: Progress) -> Iterator[str]:
    for row in reads.read("load_hash_categories"):
        yield json.dumps(["category", row["name"]])
    for page in pages(reads, "load_hash_products", USERS_PER_PAGE):
        columns = zip(page["ids"], page["properties"], page["categories"], strict=True)
        for id, properties, categories in columns:
            yield _serialized(["product", id, *sorted(categories)], properties, excluded)
    done = 0
    for page in pages(reads, "load_hash_users", USERS_PER_PAGE):
        columns = zip(page["ids"], page["properties"], page["dismissed"], strict=True)
        for id, properties, dismissed in columns:
            yield _serialized(["user", id, *sorted(dismissed)], properties, excluded)
        for kind, statement in _PER_USER.items():
            found = reads.read(statement, users=page["ids"])[0]
            yield from map(
                _serialized,
                zip(repeat(kind), found["source"], found["target"]),
                found["properties"],
                repeat(set()),
            )
        done += len(page["ids"])
        progress("reading users and what they hold", done, 0)


def _serialized(head: Any, properties: dict[str, Any], excluded: set[str]) -> str:
    included = {
        name: value
        for name, value in properties.items()
        if name not in excluded and name not in _ADDED
    }
    # Only the driver's temporal values need `default`.
    return json.dumps([head, included], sort_keys=True, default=str)
