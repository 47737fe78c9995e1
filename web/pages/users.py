"""Users: search, list of recommendations, dismissal, export."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from kinfolio.errors import BadInput, KinfolioError
from kinfolio.events.records import Event
from kinfolio.gnn.serving.caps.caps import ListCaps
from kinfolio.gnn.serving.recommend import EXCLUDED
from kinfolio.gnn.serving.rules import BUILT_IN
from kinfolio.tabular import spreadsheet_cell
from kinfolio.web.api.schemas import Caps
from kinfolio.web.callers import AnyCaller, UserId
from kinfolio.web.pages.profile import SEARCHES, SOURCES, profile_of
from kinfolio.web.pages.rendering import is_partial, link, render, render_stream
from kinfolio.web.paths import Id
from kinfolio.web.records import CappedList
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()
SEE_OTHER = 303
MAX_LENGTH = 50
_STEP = 10
ListId = Annotated[str, Form(max_length=100)]
SearchText = Annotated[str, Query(max_length=200)]


@router.get("/")
def search(request: Request, caller: AnyCaller, q: SearchText = "") -> Response:
    """Show the users whom a search finds; a customer goes to the own list."""
    if caller.user is not None:
        return RedirectResponse(link("users", caller.user), SEE_OTHER)
    found = site_of(request).service.search("user", q)
    return render(request, "users/search.html", block="results", area="users", q=q, found=found)


@router.get("/users/{user:id}")
def show_list(
    request: Request,
    user: UserId,
    caps: Caps,
    k: Annotated[int, Query(ge=1, le=MAX_LENGTH)] = _STEP,
) -> Response:
    """Show the recommendations of a user."""
    return _list_page(request, user, k, caps)


@router.post("/users/{user:id}/dismiss")
def dismiss(
    request: Request,
    user: UserId,
    caps: Caps,
    product: Annotated[Id, Form()],
    list_id: ListId = "",
) -> Response:
    """Never recommend a product of a list to its user again; show the list without it."""
    service = site_of(request).service
    id = service.normal_id(product)
    name = service.product_name(id)
    act = Event(request=list_id, product=id, kind="dismissed", at=datetime.now(UTC))
    if refused := service.record(user, [act]).refused:
        raise BadInput(refused[0].reason)
    if is_partial(request):
        query = cap_query(caps)
        template = "users/dismissed.html"
        return render(request, template, user=user, product=id, name=name, cap_query=query)
    return _list_page(request, user, _STEP, caps, dismissed=(id, name))


@router.post("/users/{user:id}/undo-dismissal")
def undo(request: Request, user: UserId, caps: Caps, product: Annotated[Id, Form()]) -> Response:
    """Recommend a dismissed product again."""
    service = site_of(request).service
    service.undo_dismissal(user, service.normal_id(product))
    return _list_page(request, user, _STEP, caps)


@router.get("/users/{user:id}/recommendations.csv")
def export(
    request: Request, user: UserId, caps: Caps, k: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> Response:
    """Return the list as a CSV file whose cells no spreadsheet runs as formulas."""
    found = site_of(request).service.recommend(user, k, caps=caps)[0]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("user", "rank", "product", "name", "score", "version"))
    for one in found.products:
        cells = (user, one.rank, one.product, one.name, f"{one.score:.9g}", found.version or "")
        writer.writerow([spreadsheet_cell(str(cell)) for cell in cells])
    headers = {"content-disposition": 'attachment; filename="recommendations.csv"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _list_page(
    request: Request,
    user: str,
    k: int,
    caps: ListCaps | None,
    *,
    dismissed: tuple[str, str] | None = None,
) -> Response:
    service = site_of(request).service
    found = service.serve_list(user, k, caps=caps)
    capped = found if isinstance(found, CappedList) else None
    profile = profile_of(service.user_data(user))
    return render_stream(
        request,
        "users/list.html",
        block="products",
        area="users",
        user=user,
        profile=profile,
        list_id=found.request,
        products=found.products,
        highest=max((abs(one.score) for one in found.products), default=1.0),
        reason_of=_reason_of(service, user),
        notes=found.notes,
        dismissed=dismissed,
        more=k + _STEP if len(found.products) == k < MAX_LENGTH else None,
        version=found.version,
        source=SOURCES[found.source],
        search=SEARCHES[found.search],
        rules=rules_in_words(service),
        capped=capped,
        places={one.product: one.rank_without for one in capped.moved} if capped else {},
        cap_query=cap_query(caps),
    )


def cap_query(caps: ListCaps | None) -> str:
    """Return a cap as the begin of a query, like `at_most=2&per=kind&`; empty without one."""
    return "" if caps is None else f"at_most={caps.at_most}&per={caps.per}&"


def _reason_of(service: Service, user: str) -> Callable[[str], str]:
    """Return a function that reads the first reason of a product; empty before a version."""

    def reason(product: str) -> str:
        try:
            return service.first_reason(user, product)
        except KinfolioError:
            return ""  # the page is being sent: `why` says what is the matter

    return reason


def rules_in_words(service: Service) -> list[tuple[str, str]]:
    """Return the name and the effect of each rule."""
    built_in = [(rule, EXCLUDED[rule]) for rule in BUILT_IN if rule not in ("own", "new")]
    return [*built_in, *((rule.name, rule.reason) for rule in service.rules)]
