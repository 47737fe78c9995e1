"""An explanation says what a cap on lists does to the product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.serving.caps.caps import ListCaps, recommend_capped
from tests.conftest import Cli

USER = "bond"


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_explanation_says_what_the_cap_moved(
    community_graph: Graph, cli: Cli, language: str, tmp_path: Path
) -> None:
    found = recommend_capped(community_graph, USER, 6, ListCaps(at_most=1))
    out, moved = found.left_out[0], found.moved[0]
    same = found.products[0]
    sentences = {
        "en": (
            f"is at rank {moved.rank} instead of {moved.rank_without}",
            f"out; without that limit it is at rank {out.rank}",
        ),
        "de": (
            f"auf Rang {moved.rank} statt {moved.rank_without}",
            f"aus; ohne diese Grenze wäre der Rang {out.rank}",
        ),
    }[language]
    options = ("--at-most", "1", "--model", "none", "--language", language)
    for product, rank, rank_without, sentence in (
        (moved.product, moved.rank, moved.rank_without, sentences[0]),
        (out.product, None, out.rank, sentences[1]),
        (same.product, 1, 1, None),
    ):
        plain = json.loads(cli("explain", USER, product, *options[2:], "--json").stdout)
        assert "cap" not in plain
        document = json.loads(cli("explain", USER, product, *options, "--json").stdout)
        assert list(document)[:-1] == list(plain)
        cap = document["cap"]
        assert (cap["rank"], cap["rank_without"]) == (rank, rank_without)
        assert (cap["reason"] is None) == (rank is not None)
        added = [one["text"] for one in document["sentences"] if one not in plain["sentences"]]
        if sentence is None:
            assert document["text"] == plain["text"]
        else:
            assert len(added) == 1
            assert sentence in added[0]
            assert document["sentences"][-1] == plain["sentences"][-1]
        file = tmp_path / "letter.txt"
        file.write_text(document["text"], "utf-8")
        assert (
            cli("check-text", USER, product, str(file), *options[:2], *options[4:]).exit_code == 0
        )
        without = cli("check-text", USER, product, str(file), *options[4:])
        assert ("grounded" in without.stdout) == (sentence is None)
