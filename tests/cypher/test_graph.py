from kinfolio.cypher.graph import Graph


def test_the_graph_says_what_server_it_is_on(graph: Graph) -> None:
    assert graph.server.startswith("Neo4j/2026.08")
