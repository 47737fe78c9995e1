"""Why a product has its score for a user, why it is not in the list, and two compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from kinfolio.events.records import Event
from kinfolio.llm_explain.explanation import Explanation
from kinfolio.records import Match, WhyNot
from kinfolio.web.api.schemas import Caps
from kinfolio.web.callers import AnyCaller, Caller, ProductId, UserId
from kinfolio.web.pages.profile import profile_of, writer_in_words
from kinfolio.web.pages.rendering import link, render
from kinfolio.web.pages.users import SEE_OTHER, SearchText, cap_query
from kinfolio.web.paths import Id
from kinfolio.web.pictures.evidence import evidence_pictures
from kinfolio.web.pictures.lanes import Lane, lanes
from kinfolio.web.pictures.waterfall import waterfall_pictures
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of a comparison."""

    found: Explanation
    verdict: WhyNot
    shares: Markup


@router.get("/users/{user:id}/why/{product:id}")
def why(
    request: Request,
    caller: AnyCaller,
    user: UserId,
    product: ProductId,
    caps: Caps,
    list_id: Annotated[str, Query(alias="list", max_length=100)] = "",
) -> Response:
    """Show the evidence of a score: picture, words, contributions as a waterfall and a table."""
    site = site_of(request)
    if list_id:
        act = Event(request=list_id, product=product, kind="opened", at=datetime.now(UTC))
        site.service.record(user, [act])
    found = site.service.explain(
        user, product, language=site.settings.language, all_evidence=True, caps=caps
    )
    return render(
        request,
        "users/why.html",
        block="content",
        area="users",
        user=user,
        profile=profile_of(site.service.user_data(user)),
        crumbs=crumbs(caller, user),
        found=found,
        list_id=list_id,
        cap_query=cap_query(caps),
        writer=writer_in_words(found.writer),
        picture=drawn(evidence_pictures(found)),
        shares=drawn(waterfall_pictures(found)),
        rows=lanes(found, _ALL),
    )


@router.get("/users/{user:id}/why-not")
def find_why_not(request: Request, caller: AnyCaller, user: UserId, q: SearchText = "") -> Response:
    """Find the product that a user asks about."""
    return _find(request, caller, user, q, ("why-not",), "Why not another product?")


@router.get("/users/{user:id}/why-not/{product:id}")
def why_not(
    request: Request, caller: AnyCaller, user: UserId, product: ProductId, caps: Caps
) -> Response:
    """Show the verdict of each rule on a product, and its rank."""
    service = site_of(request).service
    found = service.why_not(user, product, caps)
    return render(
        request,
        "users/why_not.html",
        area="users",
        user=user,
        profile=profile_of(service.user_data(user)),
        crumbs=crumbs(caller, user),
        name=service.product_name(product),
        found=found,
        refusing=[rule for rule in found.rules if not rule.passed],
    )


@router.get("/users/{user:id}/compare/{product:id}")
def find_other(
    request: Request, caller: AnyCaller, user: UserId, product: ProductId, q: SearchText = ""
) -> Response:
    """Find the product to compare with."""
    name = site_of(request).service.product_name(product)
    return _find(request, caller, user, q, ("compare", product), f"Compare {name} with")


@router.get("/users/{user:id}/compare/{product:id}/{other:id}")
def compare(
    request: Request, caller: AnyCaller, user: UserId, product: ProductId, other: Id
) -> Response:
    """Compare two products for a user."""
    service = site_of(request).service
    second = service.normal_id(other)
    text = service.compare(user, product, second).text
    sides = [
        _side(service, user, one, name) for one, name in ((product, "first"), (second, "second"))
    ]
    return render(
        request,
        "users/compare.html",
        area="users",
        user=user,
        profile=profile_of(service.user_data(user)),
        crumbs=crumbs(caller, user),
        text=text,
        sides=sides,
        rows=paired(lanes(sides[0].found, _ALL), lanes(sides[1].found, _ALL)),
    )


def _side(service: Service, user: str, product: str, name: str) -> Compared:
    found = service.explain(user, product, all_evidence=True)
    return Compared(found, service.why_not(user, product), drawn(waterfall_pictures(found, name)))


def paired(first: tuple[Lane, ...], second: tuple[Lane, ...]) -> list[tuple[str, float, float]]:
    """Return the contribution of each piece of evidence to two scores, largest first.

    Several ties with the same words are one row.
    """
    sums: dict[str, list[float]] = {}
    for place, side in enumerate((first, second)):
        for one in side:
            sums.setdefault(one.label, [0.0, 0.0])[place] += one.contribution
    rows = [(name, values[0], values[1]) for name, values in sums.items()]
    return sorted(rows, key=lambda row: -max(abs(row[1]), abs(row[2])))


def _find(
    request: Request, caller: Caller, user: str, q: str, before: tuple[str, ...], title: str
) -> Response:
    """Show the products that a search finds, or go to the only one."""
    service = site_of(request).service
    found = service.search("product", q) if q.strip() else ()
    if only := _only_one(found, q):
        return RedirectResponse(link("users", user, *before, only.id), SEE_OTHER)
    return render(
        request,
        "users/find_product.html",
        block="results",
        area="users",
        user=user,
        profile=profile_of(service.user_data(user)),
        crumbs=crumbs(caller, user),
        q=q,
        found=found,
        title=title,
        before=link("users", user, *before),
    )


def _only_one(found: tuple[Match, ...], q: str) -> Match | None:
    text = q.strip().casefold()
    equal = [one for one in found if text in (one.id.casefold(), (one.name or "").casefold())]
    candidates = equal or found
    return candidates[0] if len(candidates) == 1 else None


def crumbs(caller: Caller, user: str) -> list[tuple[str, str]]:
    """Return the pages above those about a user."""
    if caller.is_staff:
        return [("Users", "/"), (user, link("users", user))]
    return [("Recommendations", link("users", user))]


def drawn(picture: str) -> Markup:
    """Return a picture as markup; its writer escapes names."""
    return Markup(picture)  # noqa: S704 escaped by pictures/svg.py
