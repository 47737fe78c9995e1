from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import kinfolio
from kinfolio.cypher.graph import Graph
from kinfolio.errors import NotReady, ServerUnreachable, WrongPassword
from kinfolio.records import Connection
from kinfolio.run import Run
from tests.test_structure import HEAVY


@pytest.fixture
def demo(
    demo_graph: Graph, server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[kinfolio.Kinfolio]:
    """A connection to the generated community with stored embeddings."""
    monkeypatch.setenv("KINFOLIO_HOME", str(server_home))
    at = demo_graph.connection
    with kinfolio.connect(at.uri, username=at.username, password=at.password) as opened:
        yield opened


def test_importing_kinfolio_and_its_api_loads_nothing_heavy() -> None:
    code = (
        "import sys, kinfolio\nkinfolio.connect, kinfolio.Kinfolio, kinfolio.TrainConfig\n"
        f"print([name for name in {(*HEAVY, 'pandas')!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_lists_its_names_and_refuses_others() -> None:
    assert {"Kinfolio", "KinfolioError", "TrainConfig", "connect"} <= set(dir(kinfolio))
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        _ = kinfolio.conect  # type: ignore[attr-defined]  # the error is the point


def test_a_connection_does_not_show_its_password(demo: kinfolio.Kinfolio) -> None:
    secret = demo.graph.connection.password
    assert secret
    assert secret not in repr(demo)
    assert demo.graph.connection.uri in repr(demo)
    assert "s3cret" not in repr(Connection(uri="bolt://h", username="neo4j", password="s3cret"))


def test_connect_fails_at_once_where_nothing_answers_or_the_password_is_wrong(
    server: Connection,
) -> None:
    with pytest.raises(ServerUnreachable):
        kinfolio.connect("bolt://127.0.0.1:1", password="x")
    with pytest.raises(WrongPassword):
        kinfolio.connect(server.uri, password="wrong")


def test_without_an_address_the_environment_names_the_server(
    server: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", server.password)
    monkeypatch.delenv("NEO4J_USERNAME", raising=False)
    with kinfolio.connect() as opened:
        assert opened.graph.connection == replace(server, managed=False)


def test_lists_reasons_and_rules_come_as_records_and_as_frames(demo: kinfolio.Kinfolio) -> None:
    found = demo.recommend("p007", k=3)
    frame = found.to_frame()
    assert list(frame["product"]) == [one.product for one in found.products]
    assert list(frame) == ["rank", "product", "name", "score"]

    reasons = demo.explain("p007", found.products[0].product, model="none", all_evidence=True)
    assert reasons.score == pytest.approx(found.products[0].score, abs=1e-6)
    assert reasons.to_frame()["contribution"].sum() == pytest.approx(reasons.score, abs=1e-5)

    verdicts = demo.why_not("p007", found.products[0].product)
    assert verdicts.to_frame()["passed"].all()
    similar = demo.similar(found.products[0].product, k=4)
    assert len(similar.to_frame()) == 4
    versions = demo.versions()
    assert versions.to_frame()["state"].tolist() == [one.state for one in versions]


def test_custom_rules_apply_to_lists_and_to_why_not(
    demo: kinfolio.Kinfolio, tmp_path: Path
) -> None:
    (tmp_path / "no_bonds.cypher").write_text("// Not a bond.\np.kind <> 'bond'\n", "utf-8")
    with kinfolio.Kinfolio(demo.graph, rules=tmp_path) as strict:
        kinds = {one.rule for one in strict.why_not("p007", "bramble-daily-savings-account").rules}
    assert "no_bonds" in kinds


def test_an_evaluation_has_one_row_per_model_and_group(
    demo: kinfolio.Kinfolio, demo_run: Run
) -> None:
    found = demo.evaluate(demo_run.folder)
    frame = found.to_frame().set_index(["model", "group"])
    assert frame.loc[("kinfolio", "all"), "recall@20"] == found.models["kinfolio"]["all"].recall


def test_an_empty_list_still_has_columns(demo: kinfolio.Kinfolio) -> None:
    none = kinfolio.Kinfolio(demo.graph).recommend("p007", 1)
    empty = type(none)(user="u", version=None, search=None, source="text", products=())
    assert list(empty.to_frame()) == ["rank", "product", "name", "score"]


def test_to_frame_says_what_to_install(
    demo: kinfolio.Kinfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = demo.recommend("p007", 1)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(NotReady, match="pip install pandas"):
        found.to_frame()
