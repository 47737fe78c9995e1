"""`kinfolio evaluate` and `kinfolio report`: JSON documents and tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import run_command
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    where = tmp_path_factory.mktemp("evaluated")
    return str(trained(where, make_snapshot(seed=4), replace(SMALL, text="off")).folder)


def test_json_has_the_fields_of_the_contract(folder: str) -> None:
    result = run_command("evaluate", "--run", folder, "--baselines", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["split"], found["k"]) == ("test", 20)
    assert {"all", "warm"} <= set(found["users"])
    assert {"kinfolio", "popularity", "EASE", "ties' mean"} == set(found["models"])
    for groups in found["models"].values():
        assert set(groups) == set(found["users"])
        assert all({"recall@20", "ndcg@20", "mrr@5"} <= set(one) for one in groups.values())
    ahead = found["ahead"]["EASE"]["all"]["ndcg@20"]
    assert ahead["low"] <= ahead["by"] <= ahead["high"]


def test_the_table_has_intervals_only_with_baselines(folder: str) -> None:
    alone = run_command("evaluate", "--run", folder).stdout.splitlines()
    assert alone[0].split("\t") == ["model", "group", "users", "recall@20", "ndcg@20"]
    compared = run_command("evaluate", "--run", folder, "--baselines").stdout.splitlines()
    assert compared[0].endswith("ahead by")
    assert all(".." in line for line in compared[1:] if not line.startswith("kinfolio"))
    wide = run_command("evaluate", "--run", folder, "--wide").stdout.splitlines()
    assert wide[0].split("\t")[3:] == ["recall", "ndcg", "mrr", "hit_rate", "coverage", "novelty"]
    assert len(wide) - 1 == 3 * (len(alone) - 1)


def test_report_prints_the_paths_of_its_files(folder: str) -> None:
    result = run_command("report", "--run", folder, "--split", "valid", "--json")
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)
    assert Path(written["page"]).read_text("utf-8").startswith("<!doctype html>")
    assert Path(written["card"]).read_text("utf-8").startswith("# Model card")
