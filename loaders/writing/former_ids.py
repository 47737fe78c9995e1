"""Ids that an earlier version stored as they were in the files, brought to their normal form."""

from __future__ import annotations

from itertools import islice

from kinfolio.cypher.graph import Graph
from kinfolio.loaders.files.rejects import quoted
from kinfolio.loaders.reading.staged import Staged

_IDS_PER_QUERY = 5_000
_STATEMENTS = {
    "user": "load_normal_user_ids",
    "product": "load_normal_product_ids",
    "review": "load_normal_review_ids",
}


def normalize_stored_ids(staged: Staged, graph: Graph) -> tuple[str, ...]:
    """Rename nodes with an id that the files spell as before; return a note on those that remain.

    Without this, a graph loaded by an earlier version would get `u1` beside its `u1 `.
    """
    if not graph.read("load_counts")[0]["nodes"]:
        return ()
    notes = []
    for kind, statement in _STATEMENTS.items():
        forms: dict[str, list[str]] = {}
        for raw, id in staged.former_ids(kind).items():
            forms.setdefault(id, []).append(raw)
        rows = iter(forms.items())
        remaining = []
        while part := list(islice(rows, _IDS_PER_QUERY)):
            remaining += graph.write(statement, rows=part)
        if remaining:
            former, normal = remaining[0]["id"], remaining[0]["normal"]
            notes.append(
                f"{len(remaining):,} {kind}s of an earlier load remain beside those of the files, "
                f"e.g. {quoted(former)} beside {quoted(normal)}; "
                "kinfolio load --replace removes them"
            )
    return tuple(notes)
