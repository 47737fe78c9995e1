"""The part of the graph around a user; people stay unnamed unless the deployment names them."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from starlette.responses import Response

from kinfolio.errors import NotReady
from kinfolio.records import Recommended
from kinfolio.web.callers import AnyCaller, UserId
from kinfolio.web.pages.profile import profile_of
from kinfolio.web.pages.reasons import crumbs, drawn
from kinfolio.web.pages.rendering import render
from kinfolio.web.pictures.neighbourhood import Held, Neighbourhood, Wanted, neighbourhood_pictures
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()
_NUM_WANTED = 6
_NUM_SHARES = 3
"""Edges drawn to one recommended product."""


@router.get("/users/{user:id}/graph")
def show_graph(request: Request, caller: AnyCaller, user: UserId) -> Response:
    """Show what the user holds, reviewed, is tied to and is recommended."""
    service = site_of(request).service
    around = neighbourhood(service, user)
    return render(
        request,
        "users/graph.html",
        area="users",
        user=user,
        profile=profile_of(service.user_data(user)),
        crumbs=crumbs(caller, user),
        around=around,
        names_people=service.display.names_people,
        picture=drawn(neighbourhood_pictures(around)),
    )


def neighbourhood(service: Service, user: str) -> Neighbourhood:
    """Read what is around a user."""
    samples = service.show("user", user).samples
    reviewed = {row["product"] for row in samples["reviews"]}
    display = service.display
    tied = Counter(
        str(row["name"])
        if display.names_people and row["name"]
        else display.people[display.tie_key(row["kind"], row["direction"])][0]
        for row in samples["ties"]
    )
    held = tuple(
        Held(
            product=row["product"],
            name=str(row["name"] or row["product"]),
            rating=row["rating"],
            is_reviewed=row["product"] in reviewed,
        )
        for row in samples["holds"]
    )
    found = service.recommend(user, _NUM_WANTED)[0].products
    return Neighbourhood(
        people=tuple((_capital(words), number) for words, number in tied.most_common()),
        held=held,
        wanted=tuple(_wanted(service, user, one) for one in found),
    )


def _wanted(service: Service, user: str, one: Recommended) -> Wanted:
    try:
        evidence = service.explain(user, one.product, all_evidence=True).evidence
    except NotReady:
        evidence = ()
    # The second node of a holding's path is the held product.
    shares = [(str(e.path[2].id), e.share) for e in evidence if e.kind == "holding"]
    return Wanted(
        product=one.product,
        name=one.name,
        rank=one.rank,
        score=one.score,
        shares=tuple(shares[:_NUM_SHARES]),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
