"""What people do on the pages, in Chromium with and without JavaScript."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from kinfolio.cypher.graph import Graph
from tests.web.browser.conftest import USER, Watched


def names_of(page: Page) -> list[str]:
    return page.locator("ol.ranked h3").all_inner_texts()


def test_from_the_search_to_the_evidence_in_four_steps(desk: Watched) -> None:
    page = desk.open("/")
    page.get_by_label("Name or id").fill(USER)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=re.compile(f"^{USER}")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(USER)
    first = names_of(page)[0]
    page.get_by_role("link", name=f"Why {first}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Why {first}?")
    page.locator("a.cite").first.click()
    expect(page.locator("tr:target")).to_have_count(1)


def test_a_dismissed_product_leaves_the_list_until_it_is_undone(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    name = names_of(page)[1]
    page.get_by_role("button", name=f"Not for me {name}").click()
    expect(page.get_by_text(f"{name} will not be recommended again")).to_be_visible()
    assert name not in names_of(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("ol.ranked").get_by_role("heading", name=name)).to_be_visible()


def test_why_not_names_the_rule(desk: Watched, demo_graph: Graph) -> None:
    held = demo_graph.read("show_user", id=USER, sample=1)[0]["samples"]["holds"][0]
    page = desk.open(f"/users/{USER}")
    page.get_by_label("Product name or id").fill(held["name"])
    page.get_by_role("button", name="Find out").click()
    expect(page.get_by_role("heading", name="1 of 6 rules excludes it")).to_be_visible()
    expect(page.get_by_text(f"{USER} already holds {held['name']}").first).to_be_visible()


def test_the_list_without_a_holding_is_computed_at_once(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}/what-if")
    before = page.locator("ol.ranked").inner_text()
    box = page.get_by_role("checkbox").first
    name = page.locator(".checks label").first.inner_text().strip()
    box.uncheck()
    if not page.evaluate("window.htmx !== undefined"):
        page.get_by_role("button", name="Compute").click()
    expect(page.get_by_role("heading", name="The list would be")).to_be_visible()
    assert page.locator("ol.ranked").inner_text() != before
    expect(page.get_by_role("checkbox", name=name)).not_to_be_checked()


def test_a_product_can_be_added_in_what_if(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    name = names_of(page)[0]
    desk.open(f"/users/{USER}/what-if")
    page.get_by_label("Find a product").fill(name)
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_role("checkbox", name=name)).to_be_checked()
    assert name not in names_of(page)


def test_two_products_are_compared(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    first, second = names_of(page)[:2]
    page.get_by_role("link", name=f"Why {first}").click()
    page.get_by_label("Product name or id").fill(second)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{first} or {second}?")
    expect(page.locator("tfoot td")).to_have_count(2)


def test_a_question_is_answered(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    first = names_of(page)[0]
    desk.open(f"/users/{USER}/chat")
    page.get_by_label("Your question").fill("what do you recommend?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".answer").get_by_text(first)).to_be_visible(timeout=30_000)
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_have_value("")
    page.reload()
    expect(page.locator(".asked")).to_contain_text("what do you recommend?")


def test_the_audience_of_a_product_leads_to_its_reasons(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    product = names_of(page)[0]
    page.get_by_role("link", name=f"Product {product}").click()
    page.get_by_role("link", name="Whom to offer it").click()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Why {product}?")


def test_a_capped_list_says_what_moved_and_why(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    before = names_of(page)
    page.get_by_label("At most").fill("1")
    page.get_by_role("button", name="Limit the list").click()
    moved = page.locator("ol.ranked li", has_text="without the limit").first
    name = moved.locator("h3 a").inner_text()
    moved.get_by_role("link", name=f"Why {name}").click()
    expect(page.get_by_text("In a list with at most 1 of each kind")).to_be_visible()
    page = desk.open(f"/users/{USER}?at_most=1&per=kind")
    page.get_by_role("link", name="Without the limit").click()
    # The page is streamed.
    expect(page.locator("ol.ranked h3")).to_have_text(before)


def test_users_are_split_after_a_question_and_the_split_ends(desk: Watched) -> None:
    page = desk.open("/versions")
    page.get_by_label("Percentage of the users").fill("30")
    page.get_by_role("button", name="Split the users").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Serve 30 % of the users by")
    page.get_by_role("button", name="Split the users").click()
    expect(page.get_by_role("heading", name="The users are split")).to_be_visible()
    expect(page.get_by_text("serving 30 % of users")).to_be_visible()
    page.get_by_role("link", name="Compare what they do").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Events")
    desk.open("/versions").get_by_role("link", name="End the split").click()
    page.get_by_role("button", name="End the split").click()
    expect(page.get_by_role("button", name="Split the users")).to_be_visible()
    expect(page.get_by_text("% of users")).to_have_count(0)


def test_an_answer_leads_to_its_evidence(desk: Watched) -> None:
    page = desk.open(f"/users/{USER}")
    first = names_of(page)[0]
    desk.open(f"/users/{USER}/chat")
    page.get_by_role("button", name="What do you recommend?").click()
    expect(page.locator(".answer").get_by_role("link", name=first)).to_be_visible()
    page.get_by_role("button", name="Why the first one?").click()
    page.locator(".answer a.cite").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Why {first}?")
    expect(page.locator("tr:target")).to_have_count(1)


def test_a_customer_sees_the_own_list_only(desk: Watched) -> None:
    desk.page.get_by_role("button", name="Sign out").click()
    desk.sign_in("customer")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Recommended for you")
    page = desk.open("/users/p001")
    expect(page.get_by_role("heading", level=1)).to_have_text("Forbidden")
    expect(page.get_by_text("This token is for another user")).to_be_visible()


def test_signing_out_ends_the_session(desk: Watched) -> None:
    desk.page.get_by_role("button", name="Sign out").click()
    page = desk.open(f"/users/{USER}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_wrong_token_is_refused_in_words(desk: Watched) -> None:
    page = desk.open("/login")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This token is not known")
