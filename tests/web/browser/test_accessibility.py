"""Every page at three widths in both themes: no finding of axe, nothing cut off, no error."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.web.browser.conftest import USER, Front, Watched

_PAGES = (
    "/",
    "/?q=nobody",
    f"/users/{USER}",
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
    "/events",
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


@pytest.mark.slow
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
        for path in _PAGES:
            watched.open(path.replace("FIRST", first).replace("HELD", held))
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
