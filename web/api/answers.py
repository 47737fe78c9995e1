"""Answers about a user: lists, explanations, rules, what-if; and about products."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from kinfolio.events.records import Event
from kinfolio.gnn.feedback.record import Recorded
from kinfolio.gnn.serving.audience.audience import Audience
from kinfolio.gnn.serving.caps.caps import ListCaps, Per
from kinfolio.gnn.serving.recommend import EXCLUDED, MAX_K
from kinfolio.gnn.serving.rules import BUILT_IN
from kinfolio.llm_explain.explain import as_document
from kinfolio.records import NodeView, SimilarProducts, WhatIf, WhyNot
from kinfolio.web.api.schemas import (
    Caps,
    Changes,
    ComparisonDocument,
    Events,
    ExplanationDocument,
    Matches,
    Me,
    Rules,
)
from kinfolio.web.callers import AnyCaller, ProductId, Staff, UserId
from kinfolio.web.paths import Id
from kinfolio.web.problems import Document
from kinfolio.web.records import CappedList, ServedList
from kinfolio.web.site import site_of

router = APIRouter()
K = Annotated[int, Query(ge=1, le=MAX_K, description="number of products")]
Text = Annotated[str, Query(max_length=200, description="begin of an id, or a part of a name")]


@router.get("/me", tags=["caller"], response_model=Me)
def me(caller: AnyCaller) -> Document:
    """Return the role of the caller, and a customer's user."""
    return Document(Me(role=caller.role, user=caller.user, name=caller.name))


@router.get("/users", tags=["users"], response_model=Matches)
def search_users(request: Request, caller: Staff, q: Text = "") -> Document:
    """Find users by id or name; at most 25."""
    return Document({"matches": site_of(request).service.search("user", q)})


@router.get("/users/{user:id}/recommendations", tags=["recommendations"], response_model=ServedList)
def recommendations(
    request: Request,
    user: UserId,
    k: K = 10,
    category: Annotated[str | None, Query(max_length=200, description="kind or category")] = None,
    exclude: Annotated[list[Id] | None, Query(max_length=200, description="product ids")] = None,
) -> Document:
    """Return the products that a user is most likely to want, best first.

    Products that the rules exclude are never listed; `why-not` names the rule.
    """
    service = site_of(request).service
    found = service.serve_list(user, k, category=category, exclude=exclude or ())
    return Document(found)


@router.get(
    "/users/{user:id}/capped-recommendations",
    tags=["recommendations"],
    response_model=CappedList,
)
def capped_recommendations(
    request: Request,
    user: UserId,
    at_most: Annotated[int, Query(ge=1, le=MAX_K, description="products of one kind or category")],
    per: Per = "kind",
    k: K = 10,
) -> Document:
    """Return the best list with at most so many products of each kind or category.

    `left_out` has the better products that the cap left out, `moved` those with another rank.
    """
    caps = ListCaps(at_most=at_most, per=per)
    return Document(site_of(request).service.serve_list(user, k, caps=caps))


@router.get(
    "/users/{user:id}/recommendations/{product:id}",
    tags=["recommendations"],
    response_model=ExplanationDocument,
)
def explanation(
    request: Request,
    user: UserId,
    product: ProductId,
    caps: Caps,
    length: Literal["short", "normal", "long"] = "normal",
    language: Literal["en", "de"] | None = None,
    all_evidence: bool = False,
) -> Document:
    """Explain the score of a product for a user with evidence from the graph.

    With `at_most` the text also says if that cap on lists moves the product or leaves it out.
    """
    site = site_of(request)
    found = site.service.explain(
        user,
        product,
        length=length,
        language=language or site.settings.language,
        all_evidence=all_evidence,
        caps=caps,
    )
    return Document(as_document(found, site.service.graph.names))


@router.get(
    "/users/{user:id}/why-not/{product:id}", tags=["recommendations"], response_model=WhyNot
)
def why_not(request: Request, user: UserId, product: ProductId, caps: Caps) -> Document:
    """Return the verdict of every rule on a product for a user, and its rank.

    With `at_most` that cap on lists is a rule too, called `cap`.
    """
    return Document(site_of(request).service.why_not(user, product, caps))


@router.post("/users/{user:id}/events", tags=["events"], response_model=Recorded)
def events(request: Request, user: UserId, body: Events) -> Document:
    """Record what a user did with products of lists; a call may be repeated.

    `dismissed` and `held` reach the graph at once. An event is the same if request, product and
    kind are; those of unknown lists, or of another user's, are refused one by one.
    """
    found = [
        Event(request=one.request, product=one.product, kind=one.kind, at=one.at)
        for one in body.events
    ]
    return Document(site_of(request).service.record(user, found))


@router.post("/users/{user:id}/what-if", tags=["recommendations"], response_model=WhatIf)
def what_if(request: Request, user: UserId, changes: Changes) -> Document:
    """Return the list as if holdings were removed and added; nothing is stored."""
    found = site_of(request).service.what_if(
        user, changes.without, changes.added, product=changes.product, k=changes.k
    )
    return Document(found)


@router.get(
    "/users/{user:id}/compare/{product:id}/{other:id}",
    tags=["recommendations"],
    response_model=ComparisonDocument,
)
def compare(
    request: Request,
    user: UserId,
    product: ProductId,
    other: Annotated[
        Id, Path(description="id of the other product", examples=["housing-index-fund"])
    ],
) -> Document:
    """Compare ranks, scores, rules and reasons of two products for a user."""
    service = site_of(request).service
    reply = service.compare(user, product, service.normal_id(other))
    return Document({"text": reply.text, **reply.fields})


@router.get("/products", tags=["products"], response_model=Matches)
def search_products(request: Request, caller: AnyCaller, q: Text = "") -> Document:
    """Find products by id or name; at most 25."""
    return Document({"matches": site_of(request).service.search("product", q)})


@router.get("/products/{product:id}", tags=["products"], response_model=NodeView)
def product(request: Request, caller: AnyCaller, product: ProductId) -> Document:
    """Return a product: properties, number of holders, reviews and categories; no users."""
    return Document(site_of(request).service.show("product", product))


@router.get("/products/{product:id}/similar", tags=["products"], response_model=SimilarProducts)
def similar(request: Request, caller: AnyCaller, product: ProductId, k: K = 10) -> Document:
    """Return the open products most similar to one, best first."""
    return Document(site_of(request).service.similar(product, k))


@router.get("/products/{product:id}/audience", tags=["products"], response_model=Audience)
def audience(request: Request, caller: Staff, product: ProductId, k: K = 100) -> Document:
    """Return the users most likely to want a product who may have it, each with a reason."""
    return Document(site_of(request).service.audience(product, k)[0])


@router.get("/rules", tags=["recommendations"], response_model=Rules)
def rules(request: Request, caller: AnyCaller) -> Document:
    """Return the rules: products that one of them excludes are never listed."""
    built_in = [
        {"rule": rule, "reason": f"products that {EXCLUDED[rule]} are left out", "own": False}
        for rule in BUILT_IN
        if rule not in ("own", "new")
    ]
    own = [
        {"rule": rule.name, "reason": rule.reason, "own": True}
        for rule in site_of(request).service.rules
    ]
    return Document({"rules": [*built_in, *own]})
