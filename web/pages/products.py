"""Products: search, and one product with its text, holders and similar products."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from kinfolio.errors import NotReady
from kinfolio.gnn.serving.audience.audience import Audience
from kinfolio.gnn.serving.recommend import MAX_K
from kinfolio.records import Recommended
from kinfolio.web.callers import AnyCaller, ProductId, Staff
from kinfolio.web.pages.profile import profile_of
from kinfolio.web.pages.rendering import render
from kinfolio.web.pages.users import SearchText
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()
_NUM_REVIEWS = 5


@router.get("/products")
def search(request: Request, caller: AnyCaller, q: SearchText = "") -> Response:
    """Show the products that a search finds."""
    found = site_of(request).service.search("product", q)
    return render(
        request, "products/search.html", block="results", area="products", q=q, found=found
    )


@router.get("/products/{product:id}")
def show_product(request: Request, caller: AnyCaller, product: ProductId) -> Response:
    """Show a product."""
    service = site_of(request).service
    view = service.show("product", product)
    similar, problem = _similar(service, product)
    return render(
        request,
        "products/product.html",
        area="products",
        profile=profile_of(view),
        categories=[row["category"] for row in view.samples.get("categories", ())],
        reviews=view.samples.get("reviews", ())[:_NUM_REVIEWS],
        similar=similar,
        problem=problem,
    )


@router.get("/products/{product:id}/audience")
def show_audience(
    request: Request,
    caller: Staff,
    product: ProductId,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 50,
) -> Response:
    """Show the users whom to offer a product, each with a reason."""
    service = site_of(request).service
    name = service.product_name(product)
    notes: tuple[str, ...] = ()
    found: Audience | None = None
    try:
        found, notes = service.audience(product, k)
    except NotReady as error:
        notes = (str(error),)
    return render(
        request,
        "products/audience.html",
        area="products",
        product=product,
        name=name,
        found=found,
        notes=notes,
        highest=max((abs(one.score) for one in found.users), default=1.0) if found else 1.0,
    )


def _similar(service: Service, product: str) -> tuple[tuple[Recommended, ...], str]:
    """Similar products, or why there are none."""
    try:
        return service.similar(product, 6).products, ""
    except NotReady as error:
        return (), str(error)
