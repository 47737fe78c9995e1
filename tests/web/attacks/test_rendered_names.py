"""Names, ids and searches that are markup: on every page and in every error they are text."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from kinfolio.web.paths import segment
from tests.web.running import FORM, MARKUP, ODD, OWN_SITE, Web

_USER = f"/users/{segment(ODD)}"
_HOSTILE = segment(MARKUP)
_QUERY = quote(MARKUP)
PAGES = (
    f"/?q={segment(ODD[:3])}",
    f"/?q={_QUERY}",
    f"/products?q={_QUERY}",
    f"/products?q={segment(ODD[:3])}",
    _USER,
    f"{_USER}/why/p2",
    f"{_USER}/why/{segment(ODD)}",
    f"{_USER}/why-not/{segment(ODD)}",
    f"{_USER}/why-not/p2",
    f"{_USER}/what-if",
    f"{_USER}/compare/p2/{segment(ODD)}",
    f"{_USER}/graph",
    f"{_USER}/chat",
    f"/products/{segment(ODD)}",
    f"/products/{segment(ODD)}/audience",
    "/products/p2/audience",
    f"/users/{_HOSTILE}",
    f"/users/{_HOSTILE}/why/{_HOSTILE}",
    f"{_USER}/why/{_HOSTILE}",
    f"{_USER}/why-not?q={_QUERY}",
    f"{_USER}?k={_QUERY}",
    f"/products/{_HOSTILE}",
    f"/versions/{_HOSTILE}/serve",
    f"/start/{_HOSTILE}",
    f"/static/{_HOSTILE}",
    f"/{_HOSTILE}",
    f"/login?next={_QUERY}",
    "/login?next=javascript:alert(1)",
    "/versions",
    "/versions/drift",
    "/report",
    "/docs",
)


class _Document(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.num_tags = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.num_tags += 1
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and not values.get("src", "").startswith("/static/"):
            self.found.append(f"script {values}")
        if tag in ("img", "iframe", "object", "embed", "base", "style"):
            self.found.append(tag)
        for name, value in values.items():
            is_foreign = name in ("href", "src", "action", "formaction") and (
                ":" in value.partition("/")[0] or value.startswith("//")
            )
            if name.startswith(("on", "hx-on", "style", "srcdoc")) or is_foreign:
                self.found.append(f"{tag} {name}={value}")


def findings(text: str) -> list[str]:
    """Return what a browser would run, load from elsewhere, or take for styles."""
    document = _Document()
    document.feed(text)
    document.close()
    assert document.num_tags
    return document.found


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Request-Type": "partial"}])
def test_names_are_text(web: Web, path: str, headers: dict[str, str]) -> None:
    answer = web.get(path, caller="admin", headers=headers)
    if answer.status == 303:
        answer = web.get(answer.headers["location"], caller="admin")
    assert answer.status < 500 or "refresh --new-only" in answer.text, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert findings(answer.text) == []


def test_a_line_of_a_conversation_is_text(web: Web) -> None:
    path = web.get(f"{_USER}/chat", caller="admin").headers["location"]
    body = f"text={_QUERY}".encode()
    web.post(path, body, caller="admin", headers=FORM | OWN_SITE)
    page = web.get(path, caller="admin")
    assert "&lt;script&gt;" in page.text
    assert findings(page.text) == []
    streamed = web.post(f"{path}/stream", body, caller="admin", headers=FORM | OWN_SITE)
    text = "".join(
        line.removeprefix("data:") for line in streamed.text.splitlines() if "data:" in line
    )
    assert "&lt;script&gt;" in text
    assert findings(text) == []
