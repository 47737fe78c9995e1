"""Approval of versions, and where a version comes from."""

from __future__ import annotations

from fastapi import APIRouter, Request

from kinfolio.gnn.publishing.lineage.approval import Approved
from kinfolio.gnn.publishing.lineage.records import Lineage
from kinfolio.web.api.schemas import Serving
from kinfolio.web.callers import Admin, Caller, Forbidden, Staff
from kinfolio.web.problems import Document
from kinfolio.web.site import site_of

router = APIRouter()


@router.put("/versions/approval", tags=["versions"], response_model=Approved)
def approve(request: Request, caller: Admin, version: Serving) -> Document:
    """Approve a version in the name of the token; one that awaits approval serves from then on.

    Where approval is required, the writer of the version may not approve it.
    """
    by = approver(caller)
    return Document(site_of(request).service.approve_version(version.version, by))


@router.get("/versions/{version:id}/lineage", tags=["versions"], response_model=Lineage)
def lineage(request: Request, caller: Staff, version: str, check: bool = False) -> Document:
    """Return where a version comes from: files, graph, snapshot, run, encoder, who approved it.

    With `check` it is compared with the run, the graph and the slot of now, which are read in full.
    """
    return Document(site_of(request).service.lineage(version, is_checked=check))


def approver(caller: Caller) -> str:
    """Return the name under which a caller approves versions.

    Raises:
        Forbidden: the token has no name.
    """
    if not caller.name:
        raise Forbidden(
            "this token has no name, which the approval records; "
            "type: kinfolio token add --role admin --name NAME"
        )
    return caller.name
