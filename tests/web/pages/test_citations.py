"""Answers of the chat page lead to the reasons: cited evidence and named products are links."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.conversation.chat import Mentioned, mentioned
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.web.pages.chat import Citations, citations_of
from tests.web.running import API, FORM, MARKUP, ME, ODD, OWN_SITE, Web

Rows = Callable[..., list[dict[str, Any]]]


def ask(web: Web, path: str, cookie: str, text: str) -> str:
    """Send a line by the form, without JavaScript; return the page with all answers."""
    form = f"text={quote(text)}".encode()
    sent = web.post(path, form, caller=None, cookie=cookie, headers=FORM | OWN_SITE)
    assert sent.status == 303, sent.text
    return web.get(path, caller=None, cookie=cookie).text


def last_answer(text: str) -> str:
    return text.rpartition('<div class="answer">')[2].partition("</article>")[0]


def test_products_and_evidence_of_an_answer_are_links(web: Web) -> None:
    cookie = web.sign_in("customer")
    begun = web.get(f"/users/{ME}/chat", caller=None, cookie=cookie)
    path = begun.headers["location"]
    listed = last_answer(ask(web, path, cookie, "What do you recommend?"))
    products = [
        one["product"] for one in web.get(f"{API}/users/{ME}/recommendations").json["products"]
    ]
    assert re.findall(rf'href="/users/{ME}/why/([^"#]+)"', listed) == products[:5]
    why = last_answer(ask(web, path, cookie, "Why the first one?"))
    cited = re.findall(rf'class="cite" href="(/users/{ME}/why/([^"#]+)#(evidence-\d+))"', why)
    assert cited
    assert {product for _, product, _ in cited} == {products[0]}
    page = web.get(f"/users/{ME}/why/{products[0]}", caller=None, cookie=cookie).text
    for _, _, row in cited:
        assert f'<tr id="{row}">' in page
    # The answer before keeps its links.
    both = web.get(path, caller=None, cookie=cookie).text
    assert listed in both


def test_a_streamed_answer_has_the_same_links(web: Web) -> None:
    cookie = web.sign_in("customer")
    path = web.get(f"/users/{ME}/chat", caller=None, cookie=cookie).headers["location"]
    for line in ("What do you recommend?", "Why the first one?"):
        form = f"text={quote(line)}".encode()
        streamed = web.post(
            f"{path}/stream", form, caller=None, cookie=cookie, headers=FORM | OWN_SITE
        ).text
        shown = last_answer(web.get(path, caller=None, cookie=cookie).text)
        links = re.findall(r'href="[^"]+"', shown)
        assert links
        assert re.findall(r'href="[^"]+"', streamed) == links


def test_names_of_the_graph_are_text_and_their_ids_are_encoded(web: Web) -> None:
    cited = citations_of(web.site.service, ODD, Mentioned(ODD, (ODD,)))
    shown = load_clauses().display_name(MARKUP)
    text = str(cited(f"It is {shown} [1]. <b>"))
    assert "<script" not in text
    assert "<b>" not in text
    assert unescape(re.sub("<[^>]*>", "", text)) == f"It is {shown}1. <b>"
    address = re.findall('href="([^"]*)"', text)
    assert address == [
        f"/users/{quote(ODD, safe='')}/why/{quote(ODD, safe='')}{end}"
        for end in ("", "#evidence-1")
    ]


def test_a_name_inside_another_name_or_word_is_no_link() -> None:
    cited = Citations("u", None, {"Gold ETC": "p1", "Gold ETC 12": "p2"})
    text = str(cited("Gold ETC 12, Gold ETC and Gold ETCs [3]"))
    assert re.findall('why/(p.)"', text) == ["p2", "p1"]
    assert text.endswith("and Gold ETCs")


def test_products_of_one_name_are_told_apart(community_graph: Graph, web: Web, read: Rows) -> None:
    read("UNWIND [1, 2] AS n CREATE (:Product {id: 't' + n, gid: 970 + n, name: 'Twin Fund'})")
    cited = citations_of(web.site.service, ME, Mentioned(None, ("t1", "t2")))
    display = load_clauses()
    text = str(cited(f"{display.name_with_id('Twin Fund', 't2')}, Twin Fund"))
    assert re.findall('why/(t.)"', text) == ["t2"]
    read("MATCH (p:Product) WHERE p.id IN ['t1', 't2'] DELETE p")


def test_brackets_in_a_quoted_name_are_no_citation() -> None:
    text = str(Citations("u", "p1", {})("You hold “Buy now [9]!” [2]"))
    assert "“Buy now [9]!”<a" in text
    assert re.findall("#evidence-(.)", text) == ["2"]


def test_products_of_each_kind_of_answer_are_found() -> None:
    assert mentioned({"products": [{"product": "a"}, {"product": "b"}]}).products == ("a", "b")
    assert mentioned({"product": "a", "explanation": {}}) == Mentioned("a", ("a",))
    assert mentioned({"product": "c", "products": ["c", "d"]}) == Mentioned(None, ("c", "d"))
    assert mentioned({"text": "hello"}) == Mentioned(None, ())
