"""Lists equal those of a brute-force twin: rules, fold-in, fallbacks, all users at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig, NotFound
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.publishing import write_back as publishing
from kinfolio.gnn.serving.recommend import recommend, score_of
from kinfolio.gnn.serving.recommend_all import recommend_all
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.records import Connection
from tests.gnn.recipes import HARMLESS, recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.gnn.conftest import World

NUM_USERS, NUM_PRODUCTS = 60, 80
_WITH_RULES = "recommend_index"
write_back = partial(publishing.write_back, check_sums=False)
"""The random vectors of users are not the sums of messages."""
RunCypher = Callable[..., list[dict[str, Any]]]


@dataclass
class Twin:
    """The same answers by brute force over lists in memory."""

    world: World
    embeddings: Embeddings
    trained: World
    as_unit_blocks: Callable[..., NDArray[Any]]

    def __post_init__(self) -> None:
        self.vectors = self.embeddings.product_vectors.astype(np.float64)
        self.bias = self.embeddings.bias.astype(np.float64)
        size = len(self.embeddings.product_gids)
        self.links = (
            csr_array(
                (
                    self.embeddings.link_weights,
                    self.embeddings.link_products,
                    self.embeddings.link_offsets,
                ),
                (size, size),
            )
            .toarray()
            .astype(np.float64)
        )

    def neighbours(self, world: World, user: int) -> tuple[set[int], set[int]]:
        held = {p for u, p, split in world.holds if u == user and split == "train"}
        tied = {v for u, v, split in world.ties if u == user and split == "train"}
        tied |= {u for u, v, split in world.ties if v == user and split == "train"}
        return held, tied - {user}

    def query(self, user: int) -> tuple[str, NDArray[Any]]:
        held, tied = self.neighbours(self.world, user)
        users, products = len(self.embeddings.user_gids), len(self.embeddings.product_gids)
        known_held = {p for p in held if p < products}
        known_tied = {v for v in tied if v < users}
        # Neighbours that the version does not know add nothing, so the stored vector stays valid.
        is_same = self.neighbours(self.trained, user) == (known_held, known_tied)
        if user < users and self.embeddings.user_vectors[user].any() and is_same:
            stored = self.embeddings.user_vectors[user].astype(np.float64)
            return "stored", self.as_unit_blocks(stored[None])[0]
        total = np.zeros(self.embeddings.heads * self.embeddings.dim)
        if user < users:
            total += self.embeddings.user_own[user]
        source = "folded_in" if known_held else "ties" if known_tied else "text"
        for p in known_held:
            total += self.embeddings.product_messages[p]
        for v in known_tied:
            total += self.embeddings.user_messages[v]
        if total.any():
            number = len(known_held) + self.embeddings.tie_weight * len(known_tied)
            total += np.sqrt(number or 1.0) * self.embeddings.global_user.astype(np.float64)
        else:
            about = {p for u, p, split in self.world.reviews if u == user and split == "train"}
            for p in about:
                total += self.embeddings.product_messages[p]
        if not total.any():
            source = "popularity"
        return source, self.as_unit_blocks(total[None])[0]

    def score(self, user: int, product: int) -> float:
        _, query = self.query(user)
        held = [p for p in self.neighbours(self.world, user)[0] if p < len(self.links)]
        linked = float(self.links[held, product].sum())
        return float(query @ self.vectors[product] + self.bias[product]) + linked

    def broken(self, user: int, product: int) -> set[str]:
        who, what = self.world.users[user], self.world.products[product]
        broken = set()
        if (user, product) in {(u, p) for u, p, _ in self.world.holds}:
            broken.add("held")
        if (user, product) in self.world.dismissed:
            broken.add("dismissed")
        if not what.get("open", True):
            broken.add("closed")
        if "countries" in what and who.get("country") not in what["countries"]:
            broken.add("country")
        if "risk" in what and who.get("risk_tolerance", -1) < what["risk"]:
            broken.add("risk")
        if "risk" not in what and "risk_tolerance" not in who and what.get("kind") != "Savings":
            broken.add("unrated")
        return broken

    def best(self, user: int, k: int) -> list[tuple[str, float]]:
        found = [
            (self.world.products[product]["id"], self.score(user, product))
            for product in range(len(self.embeddings.product_gids))
            if not self.broken(user, product)
        ]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]


@pytest.fixture(scope="module")
def twin(
    server: Connection,
    shared_graph: Graph,
    make_world: Callable[..., World],
    as_unit_blocks: Callable[..., NDArray[Any]],
) -> Twin:
    """A world written back, then changed: new users, new products, new holdings and ties."""
    trained = make_world(3, NUM_USERS, NUM_PRODUCTS)
    world = make_world(3, NUM_USERS, NUM_PRODUCTS)
    embeddings = trained.embeddings()
    with open_driver(server) as driver, driver.session() as session:

        def run(text: str, /, **parameters: Any) -> list[dict[str, Any]]:
            return session.run(text, parameters).data()

        trained.store(run)
        write_back(shared_graph, embeddings, name="one")
        new = make_world(3, NUM_USERS, NUM_PRODUCTS)
        new.users = [
            {"id": name, "gid": NUM_USERS + i, "risk_tolerance": 9, "country": "FR"}
            for i, name in enumerate(["holds", "tied", "wrote", "nothing", "holds new"])
        ]
        new.products = [{"id": "new", "gid": NUM_PRODUCTS, "name": "New Fund"}]
        n = NUM_USERS
        new.holds = [(n, 3, "train"), (n, 4, "test"), (n + 4, NUM_PRODUCTS, "train")]
        new.holds += [(u, NUM_PRODUCTS - 1 - u, "train") for u in range(10, 20)]
        new.holds = [pair for pair in new.holds if pair[:2] not in {h[:2] for h in world.holds}]
        new.ties = [
            (n + 1, 7, "train"),
            (8, n + 1, "train"),
            (20, 21, "train"),
            (n + 1, 7, "train"),
        ]
        new.dismissed = [(n, 9)]
        new.reviews = [(n + 2, 5, "train"), (n + 2, 5, "train"), (n + 2, 6, "test")]
        new.store(run)
    for name in ("users", "products", "holds", "ties", "dismissed", "reviews"):
        getattr(world, name).extend(getattr(new, name))
    return Twin(world, embeddings, trained, as_unit_blocks)


def test_lists_equal_those_of_brute_force(twin: Twin, shared_graph: Graph) -> None:
    sources = []
    for user, who in enumerate(twin.world.users):
        found = recommend(shared_graph, who["id"], 10)
        expected = twin.best(user, 10)
        assert [line.product for line in found.products] == [p for p, _ in expected], who
        assert [line.score for line in found.products] == pytest.approx(
            [score for _, score in expected], abs=1e-9
        )
        assert [line.rank for line in found.products] == list(range(1, len(expected) + 1))
        assert found.source == twin.query(user)[0], who
        assert found.version == "one"
        assert found.search == (None if found.source == "popularity" else "exact")
        sources.append(found.source)
    # The last five: holdings only, ties only, reviews only, nothing, a product without a vector.
    assert sources[-5:] == ["folded_in", "ties", "text", "popularity", "popularity"]
    assert sources.count("stored") > 20
    assert sources.count("folded_in") > 10


@pytest.mark.parametrize(
    ("way", "least"),
    [("recommend_index", 0), ("recommend_index", 2), ("recommend_index_nodes", 2)],
    ids=["rules afterwards", "rules while searching", "index without rules"],
)
def test_lists_by_the_index_equal_those_of_brute_force(
    way: str, least: float, twin: Twin, shared_graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinfolio.gnn.serving.search.EXACT_BELOW", 10)
    monkeypatch.setattr("kinfolio.gnn.serving.search.ENOUGH_PASS", least)
    monkeypatch.setattr("kinfolio.gnn.serving.search._STATEMENTS", (way,))
    searches = []
    with Graph(shared_graph.connection) as graph:
        for user, who in enumerate(twin.world.users):
            found = recommend(graph, who["id"], 5)
            assert [line.product for line in found.products] == [
                product for product, _ in twin.best(user, 5)
            ], who
            if found.source != "popularity":
                searches.append(found.search)
                # A short list is always confirmed by the exact search.
                assert found.search == "index" or len(found.products) < 5 or way != _WITH_RULES
    assert searches.count("index") > 30


@pytest.mark.parametrize("heading", ["Recommend", "Recommend by the index"])
def test_the_recipes_of_the_documentation_return_the_same_lists_for_every_user(
    heading: str, twin: Twin, shared_graph: Graph, run_cypher: RunCypher
) -> None:
    sources = set()
    for who in twin.world.users:
        found = recommend(shared_graph, who["id"])
        rows = run_cypher(recipe(heading), user=who["id"], harmless=HARMLESS)
        assert [row["product"] for row in rows] == [line.product for line in found.products], who
        assert [row["score"] for row in rows] == pytest.approx(
            [line.score for line in found.products], abs=1e-4
        )
        sources.add(found.source)
    assert sources == {"stored", "folded_in", "ties", "text", "popularity"}


def test_the_recipe_of_why_not_returns_the_same_verdicts_for_every_user(
    twin: Twin, shared_graph: Graph, run_cypher: RunCypher
) -> None:
    for user, who in enumerate(twin.world.users):
        product = twin.world.products[user % NUM_PRODUCTS]["id"]
        found = why_not(shared_graph, who["id"], product)
        row = run_cypher(recipe("Why not"), user=who["id"], product=product, harmless=HARMLESS)[0]
        assert {rule.rule: rule.passed for rule in found.rules}.items() <= row.items()
        assert (row["rank"], row["score"]) == (found.rank, pytest.approx(found.score, abs=1e-4))


def test_ties_dated_after_the_cut_do_not_count_for_users_of_the_version(
    twin: Twin, shared_graph: Graph, run_cypher: RunCypher
) -> None:
    stored = [who for i, who in enumerate(twin.world.users) if twin.query(i)[0] == "stored"]
    one, other = stored[0]["id"], stored[1]["id"]
    before = recommend(shared_graph, one)
    tie = (
        "MATCH (u:User {id: $one}), (v:User {id: $other}) "
        "CREATE (u)-[:TIED_TO {at: $at, kind: 'new'}]->(v)"
    )
    run_cypher("MATCH (v:EmbeddingVersion) SET v.cut = 1000")
    try:
        run_cypher(tie, one=one, other=other, at=1001)
        assert recommend(shared_graph, one) == before
        recipes = run_cypher(recipe("Recommend"), user=one, harmless=HARMLESS)
        assert [row["product"] for row in recipes] == [line.product for line in before.products]
        run_cypher(tie, one=one, other=other, at=1000)
        assert recommend(shared_graph, one).source == "folded_in"
        # A user whom the version does not know is served by all ties.
        run_cypher(tie, one="nothing", other=other, at=1001)
        assert recommend(shared_graph, "nothing").source == "ties"
    finally:
        run_cypher("MATCH ()-[t:TIED_TO {kind: 'new'}]->() DELETE t")
        run_cypher("MATCH (v:EmbeddingVersion) SET v.cut = null")
    assert recommend(shared_graph, one) == before


def test_without_risk_tolerance_only_harmless_kinds_need_no_risk_level(
    twin: Twin, shared_graph: Graph, run_cypher: RunCypher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kinds(user: str) -> set[str]:
        ids = [line.product for line in recommend(shared_graph, user, 1000).products]
        rows = run_cypher("MATCH (p:Product) WHERE p.id IN $ids RETURN p.kind AS k", ids=ids)
        return {row["k"] for row in rows}

    unknown = next(who["id"] for who in twin.world.users if "risk_tolerance" not in who)
    known = next(who["id"] for who in twin.world.users if "risk_tolerance" in who)
    assert kinds(unknown) == {"Savings"}
    assert kinds(known) == {"Savings", "loan", "fund"}
    loan = run_cypher(
        "MATCH (p:Product {kind: 'loan'}) WHERE p.risk IS NULL RETURN p.id AS id ORDER BY id"
    )[0]["id"]
    verdict = {rule.rule: rule for rule in why_not(shared_graph, unknown, loan).rules}["unrated"]
    assert not verdict.passed
    assert "has no risk level, is of the kind 'loan', and the risk tolerance" in verdict.reason
    monkeypatch.setenv("KINFOLIO_HARMLESS_KINDS", "Loan, deposit")
    assert kinds(unknown) == {"loan"}


def test_negative_scores_are_marked(
    twin: Twin, shared_graph: Graph, cli: Callable[..., Any]
) -> None:
    found = cli("recommend", "🦊 u/1", "-k", "60")
    header, *lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert header[-1] == "note"
    assert {(float(line[3]) < 0, line[4]) for line in lines} == {(True, "negative"), (False, "")}
    negative = sum(line[4] == "negative" for line in lines)
    assert f"{negative} of {len(lines)} products have a negative score" in found.stderr


def test_changed_product_properties_take_effect_at_once(
    twin: Twin, shared_graph: Graph, run_cypher: RunCypher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinfolio.gnn.serving.search.EXACT_BELOW", 10)
    user = next(i for i in range(NUM_USERS) if len(twin.best(i, 20)) > 8)
    who = twin.world.users[user]["id"]
    before = [line.product for line in recommend(shared_graph, who, 5).products]
    first = "MATCH (p:Product {id: $id}) "
    original = run_cypher(
        first + "RETURN p.open AS open, p.risk AS risk, p.countries AS countries", id=before[0]
    )[0]
    for change in ("SET p.open = false", "SET p.risk = 99", "SET p.countries = ['XX']"):
        run_cypher(first + change, id=before[0])
        found = recommend(shared_graph, who, 5)
        assert found.search == "index"
        assert [line.product for line in found.products[:4]] == before[1:]
        run_cypher(
            first + "SET p.open = $open, p.risk = $risk, p.countries = $countries",
            id=before[0],
            **original,
        )
    assert [line.product for line in recommend(shared_graph, who, 5).products] == before


def test_a_list_is_full_although_the_nearest_products_were_closed_after_the_write_back(
    twin: Twin, shared_graph: Graph, run_cypher: RunCypher, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = max(range(NUM_USERS), key=lambda i: len(twin.best(i, NUM_PRODUCTS)))
    who = twin.world.users[user]["id"]
    near = [product for product, _ in twin.best(user, NUM_PRODUCTS)]
    version = "MATCH (v:EmbeddingVersion {state: 'active'}) "
    stored = run_cypher(version + "RETURN v.fetch AS fetch")[0]
    original = run_cypher("MATCH (p:Product) RETURN collect([p.id, p.open]) AS open")[0]
    # A small request without rules inside returns no eligible product at first.
    run_cypher(version + "SET v.fetch = 5, v.open_share = 1.0, v.risk_levels = [0.0]")
    run_cypher("MATCH (p:Product) WHERE p.id IN $ids SET p.open = false", ids=near[:-3])
    monkeypatch.setattr("kinfolio.gnn.serving.search.EXACT_BELOW", 10)
    found = recommend(shared_graph, who, 3)
    assert found.search == "index"
    assert [line.product for line in found.products] == near[-3:]
    run_cypher(version + "SET v.fetch = $fetch", **stored)
    run_cypher("UNWIND $open AS row MATCH (p:Product {id: row[0]}) SET p.open = row[1]", **original)


def test_why_not_agrees_with_the_list_and_with_brute_force(twin: Twin, shared_graph: Graph) -> None:
    for user in (0, 3, 12, 33, 61, 63):
        who = twin.world.users[user]
        ranks = {p: rank for rank, (p, _) in enumerate(twin.best(user, 1000), 1)}
        for product in range(user % 3, NUM_PRODUCTS, 9):
            what = twin.world.products[product]
            found = why_not(shared_graph, who["id"], what["id"])
            broken = {rule.rule for rule in found.rules if not rule.passed}
            assert broken == twin.broken(user, product)
            assert found.allowed == (not broken)
            assert found.score == pytest.approx(twin.score(user, product), abs=1e-9)
            better = sum(
                twin.score(user, other) > twin.score(user, product)
                for other in range(NUM_PRODUCTS)
                if not twin.broken(user, other)
            )
            assert found.rank == better + 1
            if found.allowed:
                assert found.rank == ranks[what["id"]]


def test_the_score_of_a_pair_is_the_score_in_the_list(twin: Twin, shared_graph: Graph) -> None:
    for who in twin.world.users[::7]:
        for line in recommend(shared_graph, who["id"], 3).products:
            assert score_of(shared_graph, who["id"], line.product) == line.score


def test_a_product_added_after_the_training_is_left_out(twin: Twin, shared_graph: Graph) -> None:
    warnings: list[str] = []
    found = recommend(shared_graph, "nothing", 1000, warn=warnings.append)
    assert "new" not in {line.product for line in found.products}
    assert "1 came after the training and have no vector yet" in warnings[-1]
    assert score_of(shared_graph, "nothing", "new") is None
    reasons = why_not(shared_graph, "nothing", "new")
    assert (reasons.allowed, reasons.rank, reasons.score) == (True, None, None)


def test_all_lists_in_one_file_agree_with_the_single_ones(
    twin: Twin, shared_graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinfolio.gnn.serving.recommend_all.PAGE_USERS", 16)
    monkeypatch.setattr("kinfolio.gnn.serving.catalogue.PAGE_PRODUCTS", 16)
    assert recommend_all(shared_graph, tmp_path / "all.tsv", 7) == NUM_USERS + 5
    header, *lines = (tmp_path / "all.tsv").read_text("utf-8").splitlines()
    assert header == "user\trank\tproduct\tscore"
    cells = [line.replace("\\\\", "\\").split("\t") for line in lines]
    for who in twin.world.users:
        single = recommend(shared_graph, who["id"], 7).products
        mine = [cell for cell in cells if cell[0] == who["id"]]
        assert [(int(c[1]), c[2]) for c in mine] == [(x.rank, x.product) for x in single]
        assert [float(c[3]) for c in mine] == pytest.approx([x.score for x in single], rel=1e-8)
    assert list(tmp_path.iterdir()) == [tmp_path / "all.tsv"]


def test_the_warning_about_a_short_list_counts_the_excluded_products_by_rule(
    twin: Twin, shared_graph: Graph
) -> None:
    warnings: list[str] = []
    user = next(i for i, who in enumerate(twin.world.users) if "risk_tolerance" not in who)
    who = twin.world.users[user]
    found = recommend(shared_graph, who["id"], 1000, warn=warnings.append)
    assert (
        f"the risk tolerance of {who['id']} is unknown, so products with a risk level are left "
        "out, and those without one unless they are of a harmless kind"
    ) in warnings
    first = [
        next(
            r for r in ("held", "dismissed", "closed", "country", "risk", "unrated") if r in broken
        )
        for product in range(NUM_PRODUCTS)
        if (broken := twin.broken(user, product))
    ]
    assert warnings[-1].startswith(f"{len(found.products)} of 1000 asked for: ")
    assert f"{first.count('risk')} are above the user's risk tolerance" in warnings[-1]
    assert f"{first.count('closed')} are closed" in warnings[-1]
    # With the product that came after the training, which has no risk level.
    assert f"{first.count('unrated') + 1} have no risk level, which the user's" in warnings[-1]
    assert len(found.products) + len(first) == NUM_PRODUCTS


def test_unknown_names_get_a_suggestion(
    twin: Twin, shared_graph: Graph, run_cypher: RunCypher
) -> None:
    with pytest.raises(NotFound, match=r"no user 'U33' in the graph; did you mean 'u33'\?"):
        recommend(shared_graph, "U33")
    with pytest.raises(NotFound, match=r"no user 'zzz' in the graph; give the id"):
        recommend(shared_graph, "zzz")
    run_cypher("CREATE (:User {id: '1'})")
    with pytest.raises(NotFound, match=r"no user '1\.0' in the graph; there is '1': a column of w"):
        recommend(shared_graph, "1.0")
    run_cypher("MATCH (u:User {id: '1'}) DELETE u")
    with pytest.raises(NotFound, match=r"no product 'p7' in the graph; did you mean 'p70'\?"):
        why_not(shared_graph, "u33", "p7")
    with pytest.raises(NotFound, match="no product ''"):
        score_of(shared_graph, "u33", "")


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_length_out_of_range_is_refused(k: int, twin: Twin, shared_graph: Graph) -> None:
    with pytest.raises(BadConfig, match="from 1 to 1,000"):
        recommend(shared_graph, "u33", k)


def test_the_command_prints_the_contract(
    twin: Twin, shared_graph: Graph, cli: Callable[..., Any]
) -> None:
    answer = json.loads(cli("recommend", "🦊 u/1", "-k", "2", "--json").stdout)
    assert list(answer) == ["user", "version", "search", "source", "split", "products"]
    assert list(answer["products"][0]) == ["rank", "product", "name", "score"]
    assert len(answer["products"]) == 2
    plain = cli("recommend", "🦊 u/1", "-k", "2")
    assert plain.stdout.splitlines()[0] == "rank\tproduct\tname\tscore"
    assert len(plain.stdout.splitlines()) == 3
    assert plain.stderr.endswith("version: one, source: stored\n")
    answer = json.loads(cli("why-not", "u33", "p70", "--json").stdout)
    assert list(answer) == [
        *("user", "product", "allowed", "rules", "rank", "score", "version", "known_by"),
    ]
    assert list(answer["rules"][0]) == ["rule", "passed", "reason", "code"]
    assert cli("why-not", "u33", "p70").stdout.startswith("p70 is ")


@pytest.mark.parametrize(
    "words",
    [(), ("u33", "--all", "--out", "x.tsv"), ("--all",), ("u33", "--out", "x.tsv")],
    ids=["neither", "both", "no file", "file for one"],
)
def test_one_user_or_all_into_a_file(words: tuple[str, ...], cli: Callable[..., Any]) -> None:
    result = cli("recommend", *words)
    assert result.exit_code == 2
    assert "--out FILE" in result.stderr


def test_all_lists_are_written_by_the_command(
    twin: Twin, shared_graph: Graph, cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "all.tsv"
    result = cli("recommend", "--all", "--out", str(out), "-k", "3", "--json")
    assert json.loads(result.stdout) == {"file": str(out), "users": NUM_USERS + 5, "k": 3}
    assert len(out.read_text("utf-8").splitlines()) > NUM_USERS
