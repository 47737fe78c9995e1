"""Somebody who starts the server for the first time and opens the link that it prints."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from kinfolio.cypher.graph import Graph
from kinfolio.records import Connection
from tests.conftest import environment_of
from tests.web.browser.conftest import Front, Watched
from tests.web.running import served


def test_five_clicks_lead_from_the_link_to_a_conversation(
    server: Connection,
    server_home: Path,
    demo_graph: Graph,
    context: BrowserContext,
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(server_home / "models")
    with served(environment_of(server, home)) as (link, _):
        address, _, secret = link.partition("/start/")
        assert secret
        watched = Watched(context.new_page(), Front(address, {}))
        page = watched.open(f"/start/{secret}")
        page.locator("#results a").first.click()
        heading = page.locator("ol.ranked h3").first
        expect(heading).to_have_text(re.compile(r"\w"))  # the page is streamed
        first = heading.inner_text()
        page.get_by_role("link", name=f"Why {first}").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Why {first}?")
        page.locator("nav.crumbs a").last.click()
        page.locator("nav.tabs").get_by_role("link", name="What if").click()
        expect(page.get_by_role("checkbox").first).to_be_checked()
        page.locator("nav.tabs").get_by_role("link", name="Ask").click()
        page.get_by_role("button", name="What do you recommend?").click()
        expect(page.locator(".answer").get_by_text(first)).to_be_visible(timeout=60_000)
        assert not watched.problems
