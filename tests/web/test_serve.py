"""`kinfolio serve` as a process: its link, its output, its end, and what it refuses to do."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from kinfolio.web.access.sessions import COOKIE
from kinfolio.web.server import bind
from tests.conftest import Cli, environment_of
from tests.web.running import API, served


def get(address: str, path: str, cookie: str = "") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_the_first_start_prints_a_link_and_its_log_has_no_secret(
    community_graph: Graph, server: Connection, models: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(models)
    environment = environment_of(server, home)
    with served(environment, "--log-json") as (link, lines):
        address, _, secret = link.rstrip('"}').partition("/start/")
        opened = get(address, f"/start/{secret}")
        cookie = opened.headers["set-cookie"].partition(";")[0]
        assert get(address, f"{API}/users/people/recommendations", cookie).status == 200
        assert get(address, f"{API}/users/nobody/recommendations", cookie).status == 404
        assert get(address, "/nothing-here", cookie).status == 404
    log = "".join(lines)
    assert log.count(secret) == 1
    for word in (cookie.removeprefix(f"{COOKIE}="), "people", "nobody", "nothing-here"):
        assert word not in log
    # The next start, which is not on a terminal, prints no link: a log has other readers.
    with served(environment) as (address, _):
        assert "/start/" not in address
        assert get(address, f"{API}/me", cookie).status == 401  # sessions end with the process


def test_an_address_in_use_is_named(graph: Graph, cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = cli("serve", "--port", port)
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in result.stderr


def test_tokens_are_printed_once_and_never_listed(cli: Cli, tmp_path: Path) -> None:
    home: dict[str, str | None] = {"KINFOLIO_HOME": str(tmp_path)}
    added = cli("token", "add", "--role", "customer", "--user", " p007 ", env=home)
    secret = added.stdout.strip()
    assert secret.startswith("kf_")
    listed = cli("token", "list", env=home)
    assert "p007" in listed.stdout
    assert secret not in listed.stdout + cli("token", "list", "--json", env=home).stdout
    id = added.stderr.split("token ")[1].split(",")[0]
    assert cli("token", "revoke", id, env=home).exit_code == 0
    assert cli("token", "revoke", id, env=home).exit_code == 1
    assert "no token yet" in cli("token", "list", env=home).stderr
    wrong = cli("token", "add", "--role", "analyst", "--user", "p007", env=home)
    assert "a token of role analyst has no user" in wrong.stderr


def test_answers_do_not_wait_for_acknowledgements() -> None:
    # Nagle's algorithm holds a small answer back until the client has acknowledged the part before.
    with (
        bind("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
