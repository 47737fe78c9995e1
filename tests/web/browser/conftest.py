"""The real server on a port of its own, and pages signed in to it in Chromium.

Without Chromium these tests are skipped; `apt-get install chromium` installs it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from kinfolio.cypher.graph import Graph
from kinfolio.gnn.publishing.write_back import write_back
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.records import Connection
from kinfolio.run import Run
from kinfolio.web.access.tokens import TokenStore
from tests.conftest import environment_of
from tests.web.running import served

USER = "p007"
expect.set_options(timeout=30_000)  # other work may share the processors
_CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@dataclass(frozen=True)
class Front:
    """Address of a running server, and a token of each role."""

    address: str
    tokens: dict[str, str]


@dataclass
class Watched:
    """A page, and what must not happen on it."""

    page: Page
    front: Front
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser reports pages with an error status, which some tests ask for.
        if message.type in ("error", "warning") and "the server responded with" not in message.text:
            self.problems.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.front.address, "data:")):
            self.problems.append(f"foreign request: {request.url}")

    def open(self, path: str) -> Page:
        """Open a page of the server."""
        self.page.goto(self.front.address + path)
        return self.page

    def sign_in(self, role: str) -> None:
        """Sign in by the form."""
        self.open("/login")
        self.page.get_by_label("Token").fill(self.front.tokens[role])
        self.page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if _CHROMIUM is None:
        pytest.skip("NO BROWSER TESTS: chromium is not installed")
    return {**browser_type_launch_args, "executable_path": _CHROMIUM, "args": ["--no-sandbox"]}


@pytest.fixture(scope="module")
def front(
    server: Connection, server_home: Path, demo_graph: Graph, demo_run: Run
) -> Iterator[Front]:
    """`kinfolio serve` over the generated community with two versions."""
    write_back(demo_graph, read_embeddings(demo_run), name="again")
    store = TokenStore(server_home / "web")
    admin, customer = store.add("admin"), store.add("customer", user=USER)
    tokens = {"admin": admin[1], "customer": customer[1]}
    with served(environment_of(server, server_home), "--run", str(demo_run.folder)) as (address, _):
        yield Front(address, tokens)
    store.revoke(admin[0].id)
    store.revoke(customer[0].id)


@pytest.fixture(params=[True, False], ids=["javascript", "no-javascript"])
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A context with or without JavaScript: every action works in both."""
    with browser.new_context(java_script_enabled=request.param) as opened:
        yield opened


@pytest.fixture
def desk(context: BrowserContext, front: Front) -> Iterator[Watched]:
    """A page of an administrator; errors on the console and foreign requests fail the test."""
    watched = Watched(context.new_page(), front)
    watched.sign_in("admin")
    yield watched
    assert not watched.problems
