"""Every user's list in one pass: vectors come once from the graph, scores are made here.

The same vectors, rules and order as `recommend`; which products suit whom is asked of the graph,
once for every risk tolerance and country that people have. The lists go into a file, into the graph
as `RECOMMENDED` relationships, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady
from kinfolio.gnn.serving.catalogue import Catalogue, read_catalogue
from kinfolio.gnn.serving.recommend import check_k
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.user_state import UserState, read_user_states
from kinfolio.records import Progress, no_progress
from kinfolio.run import whole_file

PAGE_USERS = 512
MARGIN = 10
"""Products more than asked for that are scored again in 64 bits: rounding decides nothing."""
NEAR = 1e-4
"""Scores closer than this may be out of order in 32 bits."""
SAME_DIGITS = 9
"""Products whose scores agree to this many digits behind the point go by id."""

Line = tuple[str, float]
"""A product and its score."""


def recommend_all(
    graph: Graph,
    file: Path | None,
    k: int = 10,
    *,
    rules: Sequence[Rule] = (),
    materialise: bool = False,
    progress: Progress = no_progress,
) -> int:
    """The number of users whose lists were made.

    Args:
        graph: the database.
        file: takes the lists, tab-separated, whole or not at all; None for no file.
        k: length of a list, 1 to 1,000.
        rules: own rules besides those that always hold.
        materialise: write the lists into the graph, each user's in place of the older one; those
            whose `version` is the active one's are whole and of now.
        progress: is told of each page.

    Raises:
        BadConfig: k is out of range.
        NotReady: another version became active meanwhile, or none is and the lists should be
            written into the graph.
    """
    check_k(k)
    users = 0
    with ExitStack() as stack:
        sinks: list[Callable[[list[tuple[UserState, list[Line]]]], None]] = []
        if file is not None:
            temporary = stack.enter_context(whole_file(file))
            out = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
            out.write("user\trank\tproduct\tscore\n")
            sinks.append(lambda lists: out.writelines(_cells(lists)))
        if materialise:
            sinks.append(lambda lists: _store(graph, lists))
        for lists in _lists(graph, k, rules):
            for sink in sinks:
                sink(lists)
            users += len(lists)
            progress("making lists", users, 0)
    return users


def _lists(
    graph: Graph, k: int, rules: Sequence[Rule]
) -> Iterator[list[tuple[UserState, list[Line]]]]:
    catalogue: Catalogue | None = None
    version: str | None = None
    with ThreadPoolExecutor(1) as reader:
        page = reader.submit(_page, graph, "")
        while True:
            holdings, states = page.result()
            if not states:
                return
            # The next page is read while this one's lists are made.
            page = reader.submit(_page, graph, states[-1].user)
            if catalogue is None:
                version = states[0].version
                catalogue = read_catalogue(
                    graph, None if version is None else states[0].slot, rules
                )
            for state in states:
                if state.version != version:
                    raise NotReady(
                        f"version {state.version!r} took the place of {version!r} while the lists "
                        "were made; run the command again"
                    )
            yield list(zip(states, _best(catalogue, states, holdings, k), strict=True))


@dataclass(frozen=True, slots=True)
class _Holdings:
    """What a user holds, as it is needed here."""

    out: list[str]
    """Products held or dismissed."""
    linking: list[int]
    """Numbers of the products whose links count."""


def _page(graph: Graph, after: str) -> tuple[dict[str, _Holdings], list[UserState]]:
    """What some users hold or dismissed, and their states, in the order of their ids."""
    rows = graph.read("recommend_users", after=after, size=PAGE_USERS)
    holdings = {row["user"]: _Holdings(row["out"], row["linking"]) for row in rows}
    return holdings, read_user_states(graph, list(holdings)) if holdings else []


def _best(
    catalogue: Catalogue,
    states: Sequence[UserState],
    holdings: dict[str, _Holdings],
    k: int,
) -> list[list[Line]]:
    """The k best allowed products of each user; those of one score in the order of their ids."""
    import torch

    queries = np.array([state.query or (1.0,) for state in states])
    linked = catalogue.linked([holdings[state.user].linking for state in states])
    scores = torch.from_numpy(queries.astype(np.float32)) @ catalogue.fast
    if linked is not None:
        scores += torch.from_numpy(linked)
    masks = [catalogue.allowed.suits(state) & catalogue.has_score for state in states]
    scores.masked_fill_(torch.from_numpy(~np.array(masks)), -torch.inf)
    place_of = catalogue.allowed.place
    # Products without a vector or added since the catalogue was read have no place.
    pairs = [
        (row, place_of[product])
        for row, state in enumerate(states)
        for product in holdings[state.user].out
        if product in place_of
    ]
    if pairs:
        rows, columns = torch.tensor(pairs).T
        scores[rows, columns] = -torch.inf
    lists: list[list[Line]] = [[] for _ in states]
    waiting = list(range(len(states)))
    fetch = k + MARGIN
    while waiting:
        fetch = min(fetch, len(catalogue.ids))
        found = scores[waiting].topk(fetch)
        is_there = (found.values > -torch.inf).numpy()
        places = found.indices.numpy()
        exact = np.einsum("urw,uw->ur", catalogue.vectors[places], queries[waiting])
        if linked is not None:
            exact += np.take_along_axis(linked[waiting], places, axis=1)
        # The last digit of a sum depends on its order.
        exact = np.where(is_there, exact.round(SAME_DIGITS), -np.inf)
        order = np.lexsort((places, -exact), axis=1)
        # Whether a product that was not fetched could stand before the last one of the list.
        last = np.take_along_axis(exact, order[:, min(k, fetch) - 1 :][:, :1], axis=1)[:, 0]
        is_open = is_there[:, -1] & (found.values[:, -1].numpy() > last - NEAR)
        ranked = [
            [
                (catalogue.ids[places[row, c]], float(exact[row, c]))
                for c in order[row]
                if is_there[row, c]
            ]
            for row in range(len(waiting))
        ]
        passed = catalogue.allowed.passing([states[row].user for row in waiting], ranked)
        again = []
        for place, (row, line) in enumerate(zip(waiting, passed, strict=True)):
            lists[row] = line[:k]
            is_short = len(line) < k and catalogue.allowed.asks_users
            if fetch < len(catalogue.ids) and (is_short or is_open[place]):
                again.append(row)
        waiting, fetch = again, fetch * 4
    return lists


def _store(graph: Graph, lists: list[tuple[UserState, list[Line]]]) -> None:
    if lists and lists[0][0].version is None:
        raise NotReady(
            "no embeddings are in the graph yet, so there is no version for lists to be of; "
            "type: kinfolio writeback"
        )
    graph.write(
        "recommend_store_lists",
        version=lists[0][0].version,
        rows=[
            {
                "user": state.user,
                "products": [product for product, _ in line],
                "scores": [score for _, score in line],
            }
            for state, line in lists
        ],
    )


def _cells(lists: list[tuple[UserState, list[Line]]]) -> Iterator[str]:
    for state, line in lists:
        user = _cell(state.user)
        for rank, (product, score) in enumerate(line, 1):
            yield f"{user}\t{rank}\t{_cell(product)}\t{score:.9g}\n"


def _cell(text: str) -> str:
    """A text that keeps to its cell."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
