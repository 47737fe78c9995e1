"""Draws docs/pictures/page-{light,dark}.png: a list and an explanation in the browser.

    python bench/pages/screenshots.py

Needs Chromium. The graph is in `KINFOLIO_HOME`, filled by `kinfolio demo`, or in a temporary home.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from front.process import ServerProcess, kinfolio

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE: ViewportSize = {"width": 1180, "height": 720}
USER, PRODUCT = "p007", "bramble-daily-savings-account"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Write both pictures."""
    os.environ.setdefault("KINFOLIO_HOME", tempfile.mkdtemp(prefix="kinfolio-pages-"))
    kinfolio("demo", "--model", "none")
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        raise SystemExit(f"no Chromium on this machine; install one of {', '.join(CHROMIUM)}")
    with ServerProcess() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        take(browser, server, "light")
        take(browser, server, "dark")
        browser.close()


def take(browser: Browser, server: ServerProcess, theme: str) -> None:
    """Write the picture of one theme."""
    context = browser.new_context(
        viewport=SIZE,
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{server.address}/login")
    page.fill("input[name=token]", server.token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "login" not in address)
    page.goto(f"{server.address}/users/{USER}/why/{PRODUCT}")
    file = FOLDER / f"page-{theme}.png"
    page.screenshot(path=file)
    print(f"{file}: {file.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
