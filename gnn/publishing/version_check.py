"""Check versions in depth: properties, numbers of nodes, vectors, links, index, content hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotFound, quoted
from kinfolio.gnn.publishing.content_hash import ContentHash
from kinfolio.gnn.publishing.slot_index import RECALL_AT, nearest
from kinfolio.gnn.publishing.versions import Found, found_versions
from kinfolio.gnn.recipe import read_content
from kinfolio.gnn.serving.search import name_some
from kinfolio.gnn.version_state import is_vector, problem_of
from kinfolio.records import Check, Progress, no_progress

PAGE_NODES = 5_000
SAMPLED_USERS = 5
MIN_RECALL = 0.9
"""Of the sample: ten products more or less of five users."""
MAX_QUICK_PRODUCTS = 20_000
"""Above this number of products, vectors are compared only in depth."""
WRITE_AGAIN = "type: kinfolio versions rollback, or kinfolio writeback --run FOLDER"
_PARTS = {
    "products": ("vector", "message", "targets", "weights"),
    "users": ("vector", "message", "own"),
}
_PAGES = {"products": "version_products_page", "users": "version_users_page"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReport:
    """The checks of one version."""

    version: str
    state: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether all checks passed."""
        return all(check.ok for check in self.checks)


def check_versions(
    graph: Graph,
    name: str | None = None,
    *,
    is_deep: bool = True,
    progress: Progress = no_progress,
) -> list[VersionReport]:
    """Check one version, or all; `is_deep` also reads every vector and compares the hash.

    Raises:
        NotFound: there is no version of that name.
    """
    found = [one for one in found_versions(graph) if name in (None, one.get("name"))]
    if name is not None and not found:
        raise NotFound(f"there is no version {quoted(name)} in the graph; type: kinfolio versions")
    return [
        VersionReport(
            version=str(one.get("name")),
            state=str(one.get("state")),
            checks=tuple(_checks(graph, one, is_deep, progress)),
        )
        for one in found
    ]


def _checks(graph: Graph, found: Found, is_deep: bool, progress: Progress) -> Iterator[Check]:
    if found.get("state") == "writing":
        yield Check("state", True, "incomplete; the next write-back replaces it")
        return
    problem = problem_of(found)
    yield Check("properties", not problem, problem or "complete", WRITE_AGAIN if problem else None)
    if problem:
        return
    yield _contents(graph, found)
    width = found["heads"] * found["dim"] + 2
    damaged: list[str] = []
    if is_deep or found["products"] <= MAX_QUICK_PRODUCTS:
        damage = graph.read(
            "version_damaged_products", slot=found["slot"], width=width, length=found["length"]
        )[0]
        damaged = damage["vectors"]
        yield _result("product vectors", [*damaged, *damage["changed"]], found["products"])
        yield _result("links", damage["links"], found.get("linked") or 0)
    yield _index(graph, found, width, damaged)
    if is_deep:
        yield from _recipe(graph, found)
        yield from _content(graph, found, width, progress)


def _result(name: str, damaged: list[str], total: int) -> Check:
    if not damaged:
        return Check(name, True, f"{total:,} as written")
    return Check(name, False, f"damaged: {name_some(damaged)}", WRITE_AGAIN)


def _contents(graph: Graph, found: Found) -> Check:
    stored = graph.read("write_back_counts", slot=found["slot"])[0]
    gone = {
        "products": found["products"] - stored["products"],
        "users": found.get("known_users", stored["users"]) - stored["users"],
    }
    missing = {
        "product messages": ("product_messages", "products"),
        "links": ("linked", "products"),
        "user vectors": ("users", "users"),
        "user messages": ("user_messages", "users"),
    }
    columns = {"users": "with_vector"}
    lost = [
        f"{found[key] - stored[columns.get(key, key)]:,} {what}"
        for what, (key, nodes) in missing.items()
        # Nodes that were deleted since take theirs with them.
        if key in found and not gone[nodes] and found[key] > stored[columns.get(key, key)]
    ]
    if lost:
        return Check("contents", False, f"missing: {', '.join(lost)}", WRITE_AGAIN)
    detail = f"{stored['users']:,} users and {stored['products']:,} products"
    removed = [f"{number:,} {nodes}" for nodes, number in gone.items() if number > 0]
    return Check(
        "contents", True, detail + (f"; deleted since: {', '.join(removed)}" if removed else "")
    )


def _index(graph: Graph, found: Found, width: int, damaged: list[str]) -> Check:
    index = f"product_embedding_{found['slot']}"
    cure = "type: kinfolio doctor --fix to build it again; lists are exact but slower meanwhile"
    states = graph.read("write_back_index_state", index=index)
    if not states:
        return Check("index", False, f"{index} does not exist", cure)
    state = states[0]
    if state["state"] != "ONLINE":
        return Check("index", False, f"{index} is {state['state'].lower()}", cure)
    if state["width"] != width:
        detail = f"{index} is for vectors of {state['width']} numbers, not {width}"
        return Check("index", False, detail, cure)
    recall = _recall(graph, found, width, damaged)
    detail = f"{index} is online" + (
        "" if recall is None else f"; recall@10 of a sample {recall:.2f}"
    )
    if recall is not None and recall < MIN_RECALL:
        return Check("index", False, detail, cure)
    return Check("index", True, detail)


def _recall(graph: Graph, found: Found, width: int, damaged: list[str]) -> float | None:
    """Recall@10 of the index for a few users; None without a fetch number or users."""
    rows = graph.read("version_sample_users", slot=found["slot"], size=SAMPLED_USERS)
    queries = [row["vector"] for row in rows if is_vector(row["vector"], width)]
    if not queries or not found.get("fetch"):
        return None
    exact = graph.read(
        "version_nearest", slot=found["slot"], rows=queries, damaged=damaged, k=RECALL_AT
    )
    by_index = nearest(graph, found["slot"], queries, found["fetch"])
    total = sum(len(row["found"]) for row in exact)
    hits = sum(len({*row["found"]} & {*by_index[row["row"]]["found"]}) for row in exact)
    return hits / total if total else None


def _recipe(graph: Graph, found: Found) -> Iterator[Check]:
    """Compare the recipe for new products with its hash; an older version has none."""
    if (expected := found.get("hash_recipe")) is None:
        return
    content = read_content(graph, found)
    if content is not None:
        yield Check("recipe", True, f"for new products, {len(content):,} bytes, {expected[:16]}")
    else:
        detail = "the recipe for new products was changed since the write-back"
        yield Check("recipe", False, detail, WRITE_AGAIN)


def _content(graph: Graph, found: Found, width: int, progress: Progress) -> Iterator[Check]:
    """Read every vector, message and link of the version."""
    for kind, nodes in (("products", found["products"]), ("users", found.get("known_users", 0))):
        content, damaged = ContentHash(), []
        for row in _pages(graph, found, kind):
            if not _is_sound(row, width):
                damaged.append(str(row["id"]))
            else:
                content.add(row["gid"], [row[part] for part in _PARTS[kind]])
            if content.nodes % PAGE_NODES == 0:
                progress(f"checking {kind} of {found['name']}", content.nodes, nodes)
        if damaged:
            some = name_some(damaged).replace("product", kind.removesuffix("s"), 1)
            yield Check(f"numbers of {kind}", False, f"damaged: {some}", WRITE_AGAIN)
            continue
        expected = found.get(f"hash_{kind}")
        if expected is None:
            detail = "written by an older kinfolio, without a hash"
        elif content.nodes != nodes:
            detail = f"not compared: {content.nodes:,} of {nodes:,} {kind} are left"
        elif content.hex() != expected:
            detail = (
                f"{kind} were changed since the write-back: hash {content.hex()}, not {expected}"
            )
            yield Check(f"hash of {kind}", False, detail, WRITE_AGAIN)
            continue
        else:
            detail = f"{content.nodes:,} {kind}, {expected}"
        yield Check(f"hash of {kind}", True, detail)


def _pages(graph: Graph, found: Found, kind: str) -> Iterator[dict[str, Any]]:
    after = -1
    while page := graph.read(_PAGES[kind], slot=found["slot"], after=after, size=PAGE_NODES):
        yield from page
        after = page[-1]["gid"]


def _is_sound(row: dict[str, Any], width: int) -> bool:
    parts = [(row["vector"], width), (row["message"], width - 2), (row.get("own"), width - 2)]
    targets, weights = row.get("targets"), row.get("weights")
    if targets is not None or weights is not None:
        size = len(targets) if isinstance(targets, list) else -1
        parts += [(targets, size), (weights, size)]
    return all(part is None or is_vector(part, size) for part, size in parts)
