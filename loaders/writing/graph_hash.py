"""One hash of all that a graph says, the same whatever the order in which it came there.

Every node and relationship is hashed by what it holds and which ids it joins; the hash of the
graph is the sum. What kinfolio adds (vectors, versions, links, times of change) does not count.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import repeat
from typing import Any

from kinfolio.cypher.graph import Graph, Reads, pages
from kinfolio.records import Progress, no_progress

USERS_AT_ONCE = 2_000
_OWN = re.compile(r"changed|(embedding|message|own|counted|market|similar\w*|links?\w*)_[ab]")
_MODULUS = 2**128
_OF_USERS = {
    "holdings": "load_hash_holdings",
    "ties": "load_hash_ties",
    "reviews": "load_hash_reviews",
}


def graph_hash(graph: Graph, *, with_gids: bool = True, progress: Progress = no_progress) -> str:
    """32 hexadecimal digits that tell the content of one graph from that of another.

    Args:
        graph: what is read, in one transaction.
        with_gids: whether the row numbers of users and products count.
        progress: told of the users read.
    """
    left_out = {"id"} if with_gids else {"id", "gid"}
    total = 0
    with graph.snapshot_reads() as reads:
        for item in _items(reads, left_out, progress):
            digest = hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            total += int.from_bytes(digest, "big")
    return f"{total % _MODULUS:032x}"


def _items(reads: Reads, left_out: set[str], progress: Progress) -> Iterator[str]:
    for row in reads.read("load_hash_categories"):
        yield json.dumps(["category", row["name"]])
    for page in pages(reads, "load_hash_products", USERS_AT_ONCE):
        columns = zip(page["ids"], page["properties"], page["categories"], strict=True)
        for id, properties, categories in columns:
            yield _written(["product", id, *sorted(categories)], properties, left_out)
    done = 0
    for page in pages(reads, "load_hash_users", USERS_AT_ONCE):
        columns = zip(page["ids"], page["properties"], page["dismissed"], strict=True)
        for id, properties, dismissed in columns:
            yield _written(["user", id, *sorted(dismissed)], properties, left_out)
        for kind, statement in _OF_USERS.items():
            found = reads.read(statement, users=page["ids"])[0]
            yield from map(
                _written,
                zip(repeat(kind), found["source"], found["target"]),
                found["properties"],
                repeat(set()),
            )
        done += len(page["ids"])
        progress("reading users and what they hold", done, 0)


def _written(head: Any, properties: dict[str, Any], left_out: set[str]) -> str:
    kept = {
        name: value
        for name, value in properties.items()
        if name not in left_out and not _OWN.fullmatch(name)
    }
    # Times of the driver know how to write themselves; everything else is JSON already.
    return json.dumps([head, kept], sort_keys=True, default=str)
