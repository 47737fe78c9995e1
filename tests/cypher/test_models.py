from typing import Any

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.models import Category, Product, Review, User, explore, show
from kinfolio.errors import NotFound, ServerError, ServerUnreachable, WrongPassword
from kinfolio.records import Connection

SPECIAL_IDS = [
    "it's",
    'a "quote"',
    "back\\slash",
    "💶 emoji",
    "`tick`",
    "$dollar",
    "O'Neil) RETURN 1 //",
]


@pytest.fixture
def small(graph: Graph, run_cypher: Any) -> None:
    """Ann holds Amber and Birch, follows Ben, dismissed Cedar and wrote about Amber."""
    run_cypher(
        """
        CREATE (ann:User {id: 'ann', gid: 0, name: 'Ann', risk_tolerance: 3, country: 'EE'}),
               (ben:User {id: 'ben', gid: 1}),
               (amber:Product {id: 'A', gid: 0, name: 'Amber Bond Fund', risk: 2, open: true,
                               embedding_a: [x IN range(1, 66) | x / 2.0]}),
               (birch:Product {id: 'B', gid: 1, name: 'Birch Equity Fund'}),
               (cedar:Product {id: 'C', gid: 2, name: 'Cedar Index Fund'}),
               (bonds:Category {name: 'Bonds'}), (amber)-[:IN_CATEGORY]->(bonds),
               (ann)-[:HOLDS {rating: 5.0, at: 1700000000000}]->(amber),
               (ann)-[:HOLDS {at: 1600000000000}]->(birch), (ben)-[:HOLDS]->(amber),
               (ann)-[:TIED_TO {kind: 'follows'}]->(ben), (ann)-[:DISMISSED]->(cedar),
               (ann)-[:WROTE]->(:Review {id: 'r1', text: 'low costs', rating: 4.0})
                 -[:ABOUT]->(amber)
        """
    )


@pytest.mark.usefixtures("small")
def test_the_graph_can_be_explored_in_python(server: Connection) -> None:
    with explore(server) as graph:
        ann = User.match(graph, "ann").first()
        assert (ann.name, ann.risk_tolerance, ann.country) == ("Ann", 3, "EE")
        assert sorted(product.name for product in ann.holds) == [
            "Amber Bond Fund",
            "Birch Equity Fund",
        ]
        assert [other.id for other in ann.ties] == ["ben"]
        assert [product.id for product in ann.dismissed] == ["C"]
        (review,) = ann.reviews
        assert [product.id for product in review.about] == ["A"]
        amber = Product.match(graph, "A").first()
        assert sorted(user.id for user in amber.holders) == ["ann", "ben"]
        assert [category.name for category in amber.categories] == ["Bonds"]
        assert [author.id for author in Review.match(graph, "r1").first().author] == ["ann"]
        assert [p.id for p in Category.match(graph, "Bonds").first().products] == ["A"]


@pytest.mark.usefixtures("small")
def test_a_user_is_shown_with_its_relationships(graph: Graph) -> None:
    view = show(graph, "user", "ann")
    assert view.counts == {"holds": 2, "ties": 1, "reviews": 1, "dismissed": 1}
    assert view.properties == {"country": "EE", "gid": 0, "name": "Ann", "risk_tolerance": 3}
    assert [row["product"] for row in view.samples["holds"]] == ["A", "B"]
    assert view.samples["ties"][0]["user"] == "ben"
    assert view.samples["ties"][0]["direction"] == "out"


@pytest.mark.usefixtures("small")
def test_a_product_is_shown_without_users_and_numbers_of_vectors(graph: Graph) -> None:
    view = show(graph, "product", "A")
    assert view.counts == {"holders": 2, "categories": 1, "reviews": 1, "dismissals": 0}
    assert view.vectors == {"embedding_a": 66}
    assert "embedding_a" not in view.properties
    assert "ann" not in str(view)


@pytest.mark.parametrize("key", SPECIAL_IDS)
def test_an_id_with_special_characters_is_found(graph: Graph, run_cypher: Any, key: str) -> None:
    run_cypher("CREATE (:User {id: $id, gid: 0})", id=key)
    assert show(graph, "user", key).id == key


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("key", [*SPECIAL_IDS, "", "Ann"])
def test_an_unknown_id_is_reported(graph: Graph, key: str) -> None:
    with pytest.raises(NotFound, match="among the 2 in the graph; check the id"):
        show(graph, "user", key)
    with pytest.raises(NotFound, match=r"no product .* among the 3 in the graph; check the id"):
        show(graph, "product", key)


def test_an_empty_graph_is_reported_with_the_command_that_fills_it(graph: Graph) -> None:
    with pytest.raises(NotFound, match="among the 0 in the graph; type: kinfolio load FOLDER"):
        show(graph, "user", "ann")


def test_an_error_of_py2neo_is_translated(server: Connection) -> None:
    with pytest.raises(ServerError, match="refused a read"), explore(server) as graph:
        graph.run("MTCH (n) RETURN n")


def test_an_unreachable_or_refusing_server_is_reported(server: Connection) -> None:
    from dataclasses import replace

    with pytest.raises(ServerUnreachable), explore(replace(server, uri="bolt://127.0.0.1:1")):
        pass
    with pytest.raises(WrongPassword), explore(replace(server, password="wrong")):
        pass
    with explore(server):
        pass  # so that the next wrong one is again the first in a row
