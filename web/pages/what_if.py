"""The list as if some holdings were absent and others present; nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from kinfolio.records import Match, Recommended
from kinfolio.web.callers import AnyCaller, UserId
from kinfolio.web.pages.profile import profile_of
from kinfolio.web.pages.reasons import crumbs
from kinfolio.web.pages.rendering import render
from kinfolio.web.paths import Id
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()
_MOST = 200
"""Products in one form."""


@dataclass(frozen=True, slots=True)
class Move:
    """A product of the new list, and where it was before."""

    product: Recommended
    kind: Literal["same", "up", "down", "new"]
    by: int


@router.get("/users/{user:id}/what-if")
def show_form(request: Request, caller: AnyCaller, user: UserId) -> Response:
    """Show the user's holdings to be ticked off, and the list as it is."""
    return _page(request, caller, user, None, (), "")


@router.post("/users/{user:id}/what-if")
def recompute(
    request: Request,
    caller: AnyCaller,
    user: UserId,
    hold: Annotated[list[Id] | None, Form(max_length=_MOST)] = None,
    add: Annotated[list[Id] | None, Form(max_length=_MOST)] = None,
    q: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Show the list as if only the ticked products were held."""
    return _page(request, caller, user, hold or [], add or [], q)


def _page(
    request: Request,
    caller: AnyCaller,
    user: str,
    hold: Sequence[str] | None,
    add: Sequence[str],
    q: str,
) -> Response:
    service = site_of(request).service
    profile = profile_of(service.user_data(user))
    kept = {id for id, _ in profile.holdings} if hold is None else set(hold)
    without = [id for id, _ in profile.holdings if id not in kept]
    choices, added = _added(service, add, q)
    before = service.recommend(user)[0].products
    after = service.what_if(user, without, added).products if without or added else before
    names = {one: service.product_name(one) for one in added}
    return render(
        request,
        "users/what_if.html",
        block="form",
        area="users",
        user=user,
        profile=profile,
        crumbs=crumbs(caller, user),
        without=without,
        added=names,
        choices=choices,
        q=q if choices is not None and len(choices) != 1 else "",
        moves=moves(before, after),
        gone=[one for one in before if one.product not in {each.product for each in after}],
        highest=max((abs(one.score) for one in after), default=1.0),
        is_changed=bool(without or added),
    )


def _added(
    service: Service, add: Sequence[str], q: str
) -> tuple[tuple[Match, ...] | None, list[str]]:
    """Return what a search found, None without one, and the products to add."""
    added = list(dict.fromkeys(map(service.normal_id, add)))
    if not q.strip():
        return None, added
    found = service.search("product", q)
    if len(found) == 1 and found[0].id not in added:
        added.append(found[0].id)
    return found, added


def moves(before: Sequence[Recommended], after: Sequence[Recommended]) -> list[Move]:
    """Return the products of the second list with their moves since the first."""
    ranks = {one.product: one.rank for one in before}
    found = []
    for one in after:
        old = ranks.get(one.product)
        by = 0 if old is None else old - one.rank
        kind: Literal["same", "up", "down", "new"] = (
            "new" if old is None else "up" if by > 0 else "down" if by < 0 else "same"
        )
        found.append(Move(one, kind, abs(by)))
    return found
