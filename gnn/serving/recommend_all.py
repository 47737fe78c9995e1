"""The lists of all users in one pass: vectors are read once, scores are computed here.

Vectors, rules and order are those of `recommend`; the graph evaluates the rules once for each
combination of risk tolerance and country. The lists are written into a file, into the graph as
`RECOMMENDED` relationships, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, if_interrupted
from kinfolio.gnn.serving.catalogue import Catalogue, Catalogues, Line
from kinfolio.gnn.serving.recommend import check_k
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.search import Warn
from kinfolio.gnn.serving.stored_lists import ListWriter
from kinfolio.gnn.serving.user_state import UserState, read_user_states
from kinfolio.records import Progress, no_progress
from kinfolio.run import whole_file

if TYPE_CHECKING:
    from torch import Tensor

PAGE_USERS = 512
MARGIN = 10
"""Additional products that are scored again in 64 bits, so that rounding decides nothing."""
NEAR = 1e-4
"""Scores closer than this may be out of order in 32 bits."""
UNFINISHED = (
    "the lists in the graph are those from before; the unfinished ones are removed by the next "
    "kinfolio recommend --all --materialise"
)
SAME_DIGITS = 9
"""Products whose scores agree to this many decimals are ordered by id."""


@dataclass(frozen=True, slots=True)
class ListLine:
    """One product in the list of one user."""

    user: str
    version: str | None
    rank: int
    product: str
    score: float


Shorten = Callable[[list[list[Line]], int], list[list[Line]]]
"""From ranked eligible products to the first k of each list; is given more if a list is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllLists:
    """The lists of all users, to be written or read line by line.

    Own rules apply in addition to the built-in ones. `warn` is called with a warning about damaged
    vectors, which are left out.

    Raises:
        BadConfig: k is out of range.
    """

    graph: Graph
    k: int = 10
    rules: Sequence[Rule] = ()
    shorten: Shorten = lambda lists, k: [line[:k] for line in lists]
    warn: Warn = lambda _: None

    def __post_init__(self) -> None:
        check_k(self.k)

    def write(
        self, file: Path | None, *, materialise: bool = False, progress: Progress = no_progress
    ) -> int:
        """Write the lists; return the number of users.

        The file is tab-separated, written whole or not at all. With `materialise`, all lists in the
        graph are replaced at the end, in one transaction.

        Raises:
            NotReady: another version became active during the call; or `materialise` is set and
                none is active, or the users are split between two.
        """
        users = 0
        writer: ListWriter | None = None
        with ExitStack() as stack:
            if materialise:
                stack.enter_context(if_interrupted(UNFINISHED))
            out = None
            if file is not None:
                temporary = stack.enter_context(whole_file(file))
                out = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
                out.write("user\trank\tproduct\tscore\n")
            for lists in self._pages():
                if out is not None:
                    out.writelines(_cells(lists))
                if materialise:
                    _refuse_split(lists[0][0])
                    if writer is None:
                        writer = stack.enter_context(ListWriter(self.graph, lists[0][0].version))
                    writer.store(_rows(lists))
                users += len(lists)
                progress("computing lists", users, 0)
            if writer is not None:
                writer.finish()
        return users

    def lines(self) -> Iterator[ListLine]:
        """Yield the lists line by line, in the order of the users' ids.

        Raises:
            NotReady: another version became active meanwhile.
        """
        for lists in self._pages():
            for state, line in lists:
                for rank, (product, score) in enumerate(line, 1):
                    yield ListLine(state.user, state.version, rank, product, score)

    def _pages(self) -> Iterator[list[tuple[UserState, list[Line]]]]:
        catalogues = Catalogues(self.graph, self.rules, self.warn)
        with ThreadPoolExecutor(1) as reader:
            page = reader.submit(_page, self.graph, "")
            while True:
                holdings, states = page.result()
                if not states:
                    return
                # The next page is read while the lists of this one are computed.
                page = reader.submit(_page, self.graph, states[-1].user)
                catalogues.check(states)
                lists: dict[str, list[Line]] = {}
                for version in dict.fromkeys(state.version for state in states):
                    part = [state for state in states if state.version == version]
                    best = self._best(catalogues.of(part[0]), part, holdings)
                    lists |= zip((state.user for state in part), best, strict=True)
                yield [(state, lists[state.user]) for state in states]

    def _best(
        self, catalogue: Catalogue, states: Sequence[UserState], holdings: dict[str, _Holdings]
    ) -> list[list[Line]]:
        """Return the best eligible products of each user; equal scores in the order of ids."""
        page = _score_page(catalogue, states, holdings)
        lists: list[list[Line]] = [[] for _ in states]
        waiting = list(range(len(states)))
        fetch = self.k + MARGIN
        while waiting and catalogue.ids:
            fetch = min(fetch, len(catalogue.ids))
            ranked, bounds = _rank_exactly(catalogue, page, waiting, fetch)
            users = [states[row].user for row in waiting]
            found = self.shorten(catalogue.eligibility.filter_lists(users, ranked), self.k)
            unfinished = []
            for row, line, bound in zip(waiting, found, bounds, strict=True):
                lists[row] = line
                # A product beyond the fetched ones could be better than the last of the list.
                last = line[-1][1] if len(line) == self.k else -np.inf
                if fetch < len(catalogue.ids) and bound > last - NEAR:
                    unfinished.append(row)
            waiting, fetch = unfinished, fetch * 4
        return lists


def recommend_all(
    graph: Graph,
    file: Path | None,
    k: int = 10,
    *,
    rules: Sequence[Rule] = (),
    materialise: bool = False,
    progress: Progress = no_progress,
    warn: Warn = lambda _: None,
) -> int:
    """Write the lists of all users; see `AllLists.write`."""
    lists = AllLists(graph=graph, k=k, rules=rules, warn=warn)
    return lists.write(file, materialise=materialise, progress=progress)


def _refuse_split(state: UserState) -> None:
    if state.split is not None:
        raise NotReady(
            "lists in the graph are of one version, and the users are split between two; give "
            "--out FILE without --materialise, or type: kinfolio versions split 0"
        )


@dataclass(frozen=True, slots=True)
class _Holdings:
    """Holdings of a user."""

    out: list[str]
    """Products held or dismissed."""
    linking: list[int]
    """Gids of the holdings in the training split that have links."""


def _page(graph: Graph, after: str) -> tuple[dict[str, _Holdings], list[UserState]]:
    """Read holdings and states of a page of users, in the order of their ids."""
    rows = graph.read("recommend_users", after=after, size=PAGE_USERS)
    holdings = {row["user"]: _Holdings(row["out"], row["linking"]) for row in rows}
    return holdings, read_user_states(graph, list(holdings)) if holdings else []


@dataclass(frozen=True, slots=True)
class _Page:
    """Scores of a page of users."""

    scores: Tensor
    """float32, shape (num_users, num_products); -inf for products that are not eligible."""
    queries: NDArray[np.float64]
    """Shape (num_users, width)."""
    linked: NDArray[np.float64] | None
    """Shape (num_users, num_products); contributions of links to the scores."""


def _score_page(
    catalogue: Catalogue, states: Sequence[UserState], holdings: dict[str, _Holdings]
) -> _Page:
    import torch

    queries = np.array([state.query or (1.0,) for state in states])
    linked = catalogue.linked([holdings[state.user].linking for state in states])
    scores = torch.from_numpy(queries.astype(np.float32)) @ catalogue.vectors32
    if linked is not None:
        scores += torch.from_numpy(linked)
    masks = [catalogue.eligibility.mask(state) & catalogue.has_score for state in states]
    scores.masked_fill_(torch.from_numpy(~np.array(masks)), -torch.inf)
    place_of = catalogue.eligibility.place
    # Products added since the catalogue was read have no place.
    pairs = [
        (row, place_of[product])
        for row, state in enumerate(states)
        for product in holdings[state.user].out
        if product in place_of
    ]
    if pairs:
        rows, columns = torch.tensor(pairs).T
        scores[rows, columns] = -torch.inf
    for row, state in enumerate(states):
        if not catalogue.unusable_holdings.isdisjoint(holdings[state.user].linking):
            scores[row] = -torch.inf
    return _Page(scores, queries, linked)


def _rank_exactly(
    catalogue: Catalogue, page: _Page, users: list[int], fetch: int
) -> tuple[list[list[Line]], NDArray[np.float32]]:
    """Score the `fetch` best products of some users again in 64 bits and rank them.

    `users` are rows of the page. Returns the ranked products of each user, and the highest score
    that a product beyond them can have, up to rounding; -inf if none of those is eligible.
    """
    found = page.scores[users].topk(fetch)
    is_eligible = (found.values > -np.inf).numpy()
    places = found.indices.numpy()
    exact = np.einsum("urw,uw->ur", catalogue.vectors[places], page.queries[users])
    if page.linked is not None:
        exact += np.take_along_axis(page.linked[users], places, axis=1)
    # The last digit of a sum depends on its order.
    exact = np.where(is_eligible, exact.round(SAME_DIGITS), -np.inf)
    order = np.lexsort((places, -exact), axis=1)
    ranked = [
        [
            (catalogue.ids[places[row, column]], float(exact[row, column]))
            for column in order[row]
            if is_eligible[row, column]
        ]
        for row in range(len(users))
    ]
    return ranked, found.values[:, -1].numpy()


def _rows(lists: list[tuple[UserState, list[Line]]]) -> list[dict[str, Any]]:
    return [
        {
            "user": state.user,
            "products": [product for product, _ in line],
            "scores": [score for _, score in line],
        }
        for state, line in lists
    ]


def _cells(lists: list[tuple[UserState, list[Line]]]) -> Iterator[str]:
    for state, line in lists:
        user = _cell(state.user)
        for rank, (product, score) in enumerate(line, 1):
            yield f"{user}\t{rank}\t{_cell(product)}\t{score:.9g}\n"


def _cell(text: str) -> str:
    """Escape tabs and line breaks."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
