"""Every page at three widths in both themes: no finding of axe, nothing cut off, no error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from kinfolio.cypher.graph import Graph
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event
from kinfolio.gnn.publishing.versions import split_users
from kinfolio.gnn.reporting.html import page as report_page
from kinfolio.gnn.reporting.html import table
from kinfolio.gnn.version_state import place_in_split
from kinfolio.run import Run
from tests.web.browser.conftest import USER, Front, Watched

_PAGES = (
    "/",
    "/?q=nobody",
    f"/users/{USER}",
    f"/users/{USER}?at_most=1&per=kind",
    f"/users/{USER}/why/FIRST",
    f"/users/{USER}/why-not/HELD",
    f"/users/{USER}/why-not",
    f"/users/{USER}/what-if",
    f"/users/{USER}/compare/FIRST/HELD",
    f"/users/{USER}/graph",
    f"/users/{USER}/chat",
    "/users/nobody",
    "/products",
    "/products/FIRST",
    "/products/FIRST/audience",
    "/versions",
    "/versions/drift",
    "/versions/split?percent=30",
    "/events",
    "LINEAGE?check=true",
    "APPROVE",
    "/report",
    "/docs",
    "/login",
)
_OUTSIDE = """() => [...document.querySelectorAll('svg.picture')].flatMap(svg => {
  if (!svg.checkVisibility()) return [];
  const boxes = [...svg.querySelectorAll('rect.node')].map(one => one.getBBox());
  return [...svg.querySelectorAll('text')].map(text => [text, text.getBBox()]).filter(([_, t]) => {
    const around = boxes.find(b => t.x >= b.x && t.x <= b.x + b.width
      && t.y + t.height / 2 >= b.y && t.y + t.height / 2 <= b.y + b.height);
    const right = around ? around.x + around.width : svg.viewBox.baseVal.width;
    return t.x < -1 || t.x + t.width > right + 1;
  }).map(([text, _]) => text.textContent);
})"""
"""Texts of pictures that are wider than their box or the picture."""


@pytest.fixture(scope="module")
def _pages_have_content(
    server_home: Path, demo_graph: Graph, demo_run: Run, front: Front
) -> Iterator[None]:
    """The users are split, both versions have events, and the run has a report."""
    split_users(demo_graph, 50)
    log = EventLog(server_home)
    for number in range(40):
        user = f"reader{number}"
        is_other = place_in_split(user) < 50
        shown = log.show(
            user=user,
            version="again" if is_other else "first",
            source="stored",
            products=("A", "B", "C"),
            split=50,
        )
        act = Event(request=shown.request, product="A", kind="held", at=datetime.now(UTC))
        log.add(user, [act] if is_other else [])
    report = demo_run.folder / "report.html"
    body = ("<h1>Report</h1>", table(("model", "recall"), (("kinfolio", "0.3"),), numbers=1))
    report.write_text(report_page("Report", body), "utf-8")
    yield
    report.unlink()
    split_users(demo_graph, 0)


@pytest.mark.slow
@pytest.mark.usefixtures("_pages_have_content")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_page(
    browser: Browser, front: Front, width: int, theme: Literal["light", "dark"]
) -> None:
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=theme) as context:  # type: ignore[arg-type]
        watched = Watched(context.new_page(), front)
        watched.sign_in("admin")
        page = watched.open(f"/users/{USER}")
        first = _product(page.locator("ol.ranked h3 a").first.get_attribute("href"))
        watched.open(f"/users/{USER}/what-if")
        held = page.get_by_role("checkbox").first.get_attribute("value") or ""
        watched.open("/versions")
        lineage = page.get_by_role("link", name="Lineage").first.get_attribute("href") or ""
        names = {"FIRST": first, "HELD": held, "LINEAGE": lineage}
        names["APPROVE"] = lineage.replace("/lineage", "/approve")
        for path in _PAGES:
            watched.open(re.sub("|".join(names), lambda found: names[found[0]], path))
            assert _findings(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.get_by_role("heading", level=1).count() == 1, path
            assert page.evaluate(_OUTSIDE) == [], path
        assert not watched.problems


def _findings(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found]


def _product(address: str | None) -> str:
    return str(address).rpartition("/")[2].partition("?")[0]


def test_the_list_can_be_reached_and_used_by_keyboard(browser: Browser, front: Front) -> None:
    with browser.new_context() as context:
        watched = Watched(context.new_page(), front)
        watched.sign_in("admin")
        page = watched.open(f"/users/{USER}")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('ol.ranked') !== null"):
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        page.keyboard.press("Enter")
        page.wait_for_url("**/why/**")
