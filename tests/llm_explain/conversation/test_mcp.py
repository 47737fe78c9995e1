"""`kinfolio mcp` in a process of its own, called by the official client on stdio."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from tests.conftest import environment_of
from tests.llm_explain.conversation.scripted import ME

Document = dict[str, Any]


@pytest.fixture(scope="module")
def answers(
    community_graph: Graph,
    server: Connection,
    server_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Document:
    """The tools and the results of some calls, in one session."""
    environment = os.environ | environment_of(server, server_home)
    folder = tmp_path_factory.mktemp("mcp")
    served = shlex.join([sys.executable, "-m", "kinfolio.cli", "mcp", ME, "--model", "none"])
    script = f"{served} | tee {shlex.quote(str(folder / 'stdout'))}"
    parameters = StdioServerParameters(command="sh", args=["-c", script], env=environment)
    calls: dict[str, tuple[str, Document]] = {
        "list": ("recommend", {}),
        "three": ("recommend", {"k": 3}),
        "bonds": ("recommend", {"wish": "only bonds"}),
        "why": ("explain", {"product": "p0"}),
        "why by name": ("explain", {"product": "Amber Bond Fund"}),
        "why not": ("why_not", {"product": "p9"}),
        "compare": ("compare", {"first": "p0", "second": "p13"}),
        "similar": ("similar", {"product": "p0"}),
        "unknown": ("explain", {"product": "p77"}),
        "cypher": ("explain", {"product": "p0'}) DETACH DELETE (n) //"}),
        "other user": ("recommend", {"user": "bond", "user_id": "bond"}),
        "long": ("explain", {"product": "x" * 100_000}),
        "no list": ("recommend", {"k": -1}),
        "no tool": ("delete_my_data", {}),
    }
    found: Document = {}

    async def ask() -> None:
        with (folder / "stderr").open("w") as errors:
            async with Client(stdio_client(parameters, errlog=errors)) as client:
                found["tools"] = (await client.list_tools()).tools
                for key, (tool, arguments) in calls.items():
                    try:
                        found[key] = await client.call_tool(tool, arguments)
                    except Exception as error:  # what a client raises for a tool it lacks
                        found[key] = error

    # In a thread of its own: the browser of other tests leaves an event loop in this one.
    with start_blocking_portal() as portal:
        portal.call(ask)
    found["stdout"] = (folder / "stdout").read_text("utf-8")
    return found


def test_the_five_tools_read_and_take_no_user(answers: Document) -> None:
    tools = {tool.name: tool for tool in answers["tools"]}
    assert set(tools) == {"recommend", "explain", "why_not", "compare", "similar"}
    for tool in tools.values():
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
        assert tool.description
        assert not [name for name in tool.input_schema["properties"] if "user" in name]


def test_tools_answer_as_the_command_line_does(
    answers: Document, cli: Callable[..., Any], community_graph: Graph
) -> None:
    listed = json.loads(cli("recommend", ME, "-k", "5", "--json").stdout)["products"]
    given = answers["list"].structured_content["products"]
    assert [(one["product"], one["score"]) for one in given] == [
        (one["product"], one["score"]) for one in listed
    ]
    assert len(answers["three"].structured_content["products"]) == 3
    assert "only" in answers["bonds"].structured_content["text"]
    why = json.loads(cli("explain", ME, "p0", "--model", "none", "--json").stdout)
    assert answers["why"].structured_content["explanation"] == why
    assert answers["why"].structured_content["text"] == why["text"]
    assert answers["why by name"].structured_content["product"] == "p0"
    assert "it is closed" in answers["why not"].structured_content["text"]
    assert "ranks higher for you" in answers["compare"].structured_content["text"]
    similar = answers["similar"].structured_content["products"]
    assert similar
    assert not {"p0", "p9"} & {one["product"] for one in similar}


def test_errors_are_reported_and_change_nothing(
    answers: Document, run_module_cypher: Callable[..., list[Document]]
) -> None:
    for key, part in [
        ("unknown", "no product"),
        ("cypher", "no product"),
        ("long", "200 is most"),
        ("no list", "k"),
    ]:
        assert answers[key].is_error is True
        assert part in answers[key].content[0].text
        assert "Traceback" not in answers[key].content[0].text
    assert isinstance(answers["no tool"], Exception) or answers["no tool"].is_error
    # A user among the arguments is refused or ignored.
    other = answers["other user"]
    assert other.is_error or other.structured_content == answers["list"].structured_content
    assert run_module_cypher("MATCH (u:User) RETURN count(u) AS users") == [{"users": 48}]


def test_stdout_carries_the_protocol_only(answers: Document) -> None:
    messages = [json.loads(line) for line in answers["stdout"].splitlines()]
    assert len(messages) >= 14
    assert all(message["jsonrpc"] == "2.0" for message in messages)
