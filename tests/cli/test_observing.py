"""Options to see inside: the JSON log, times by step, spans to a collector."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kinfolio.cypher.graph import Graph
from tests.conftest import Cli, run_command


def test_a_trace_names_each_step_below_the_command(cli: Cli, six_users: Graph) -> None:
    result = cli("show", "user", "u1", "--trace", "--json")
    assert json.loads(result.stdout)["id"] == "u1"
    heading, root, *steps = result.stderr.splitlines()
    assert heading.split() == ["seconds", "calls", "step"]
    assert root.split()[2:] == ["kinfolio", "show"]
    assert [" ".join(line.split()[2:]) for line in steps][:2] == [
        "start of Python and imports",
        "opening the graph",
    ]
    assert all(float(line.split()[0]) <= float(root.split()[0]) for line in steps)


def test_a_trace_counts_the_statements(cli: Cli, six_users: Graph) -> None:
    lines = cli("recommend", "u1", "--trace").stderr.splitlines()
    assert any(line.split()[1:] == ["1", "recommend_popular"] for line in lines)


def test_a_json_log_is_one_document_per_line(cli: Cli, six_users: Graph) -> None:
    result = cli("--help")
    assert "--log-json" not in result.stdout  # it belongs to the commands
    result = cli("recommend", "u1", "--log-json")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert "no embeddings are in the graph yet" in lines[0]["message"]
    assert {line["level"] for line in lines} == {"info"}
    assert {"time", "level", "message"} <= lines[0].keys()


def test_an_error_is_a_line_of_the_json_log(cli: Cli, six_users: Graph) -> None:
    result = cli("recommend", "nobody", "--log-json")
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = map(json.loads, result.stderr.splitlines())
    assert line["level"] == "error"
    assert "nobody" in line["message"]


def test_a_json_log_ends_with_its_command(cli: Cli, six_users: Graph) -> None:
    cli("recommend", "nobody", "--log-json")
    assert cli("recommend", "nobody").stderr.startswith("kinfolio: ")


@pytest.fixture
def collector() -> Iterator[HTTPServer]:
    """A collector of OpenTelemetry that records the bodies it receives."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.received = received  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_spans_are_sent_to_a_collector_without_ids(
    cli: Cli, six_users: Graph, collector: HTTPServer
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    address = f"http://127.0.0.1:{collector.server_port}"
    result = cli("recommend", "u1", env={"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    assert result.exit_code == 0
    sent = b"".join(collector.received)  # type: ignore[attr-defined]
    assert b"kinfolio recommend" in sent
    assert b"recommend_popular" in sent
    assert b"u1" not in sent


def test_a_collector_that_does_not_answer_changes_nothing() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        result = run_command("completion", "bash")
    assert (result.exit_code, result.stderr) == (0, "")
