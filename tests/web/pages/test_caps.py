"""A cap on the list: on the page, in the reasons that it leads to, in the export of all lists."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest

from tests.web.running import API, FORM, OTHER, OWN_SITE, Web

CAP = "at_most=1&per=kind"


@pytest.fixture(scope="module")
def capped(web: Web) -> dict[str, Any]:
    """The list of the API under the cap. Any: JSON values."""
    found: dict[str, Any] = web.get(f"{API}/users/{OTHER}/capped-recommendations?{CAP}").json
    assert found["left_out"]
    assert found["moved"]
    return found


def page(web: Web, path: str) -> str:
    return unescape(web.get(path, caller=None, cookie=web.sign_in("other")).text)


def products(text: str) -> list[str]:
    return re.findall(rf'<h3><a href="/users/{OTHER}/why/(p\d+)', text)


def test_the_page_shows_what_the_cap_changed(web: Web, capped: dict[str, Any]) -> None:
    text = page(web, f"/users/{OTHER}?{CAP}")
    assert products(text) == [one["product"] for one in capped["products"]]
    assert "at most 1 of each kind" in text
    for one in capped["moved"]:
        assert f"place {one['rank_without']} without the limit" in text
    for one in capped["left_out"]:
        assert f"place {one['rank']} without the limit; {one['reason']}" in text
    assert "without the limit" not in page(web, f"/users/{OTHER}")


def test_links_of_a_capped_list_keep_the_cap(web: Web, capped: dict[str, Any]) -> None:
    text = page(web, f"/users/{OTHER}?{CAP}")
    moved = capped["moved"][0]
    address = re.search(rf'"(/users/{OTHER}/why/{moved["product"]}\?[^"]*)"', text)
    assert address
    sentence = f"is at rank {moved['rank']} instead of {moved['rank_without']}"
    assert sentence in page(web, address[1])
    assert sentence not in page(web, f"/users/{OTHER}/why/{moved['product']}")
    out = capped["left_out"][0]
    assert f"/users/{OTHER}/why-not/{out['product']}?{CAP}" in text
    assert out["reason"][1:] in page(web, f"/users/{OTHER}/why-not/{out['product']}?{CAP}")


def test_a_dismissal_keeps_the_cap(web: Web) -> None:
    cookie, own = web.sign_in("other"), FORM | OWN_SITE
    text = unescape(web.get(f"/users/{OTHER}?{CAP}", caller=None, cookie=cookie).text)
    first, shown = products(text)[0], re.search(r'name="list_id" value="([^"]+)"', text)
    assert shown
    form = f"list_id={shown[1]}&product={first}".encode()
    path = f"/users/{OTHER}/dismiss?{CAP}&"
    assert f'action="{path}"' in text
    after = web.post(path, form, caller=None, cookie=cookie, headers=own)
    assert "at most 1 of each kind" in after.text
    assert first not in products(after.text)
    undo = f"/users/{OTHER}/undo-dismissal?{CAP}&"
    assert f'action="{undo}"' in unescape(after.text)
    back = web.post(undo, f"product={first}".encode(), caller=None, cookie=cookie, headers=own)
    assert products(back.text) == products(text)


@pytest.mark.parametrize("query", ["at_most=0", "at_most=x", "at_most=1&per=colour", "at_most="])
def test_a_wrong_cap_is_refused(web: Web, query: str) -> None:
    assert web.get(f"/users/{OTHER}?{query}").status == 422
    assert web.get(f"{API}/users/{OTHER}/recommendations/p5?{query}").status == 422


def test_the_export_of_all_lists_is_under_the_cap(web: Web, capped: dict[str, Any]) -> None:
    text = web.get(f"{API}/recommendations.csv?{CAP}").text
    rows = csv.reader(io.StringIO(text, newline=""))
    expected = [one["product"] for one in capped["products"]]
    assert [row[2] for row in rows if row[0] == OTHER] == expected
