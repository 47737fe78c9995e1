"""Schemas of requests and responses, for the OpenAPI document.

Responses are the records and documents of the command line; most are dataclasses of
`kinfolio.records`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypedDict

from kinfolio.events.records import EventKind, in_utc
from kinfolio.gnn.feedback.record import MAX_EVENTS
from kinfolio.gnn.serving.caps.caps import ListCaps, Per
from kinfolio.gnn.serving.recommend import MAX_K
from kinfolio.records import Match
from kinfolio.web.access.tokens import Role
from kinfolio.web.paths import Id

MAX_LINE_CHARACTERS = 4_000
MAX_CHANGES = 200
MAX_DAYS = 36_500
MAX_PERCENT = 99


async def _list_caps(
    at_most: Annotated[
        int | None, Query(ge=1, le=MAX_K, description="products of one kind or category in a list")
    ] = None,
    per: Per = "kind",
) -> ListCaps | None:
    return None if at_most is None else ListCaps(at_most=at_most, per=per)


Caps = Annotated[ListCaps | None, Depends(_list_caps)]
"""The cap of lists that a query asks for; None without one."""


class Problem(TypedDict):
    """An error (RFC 9457); `detail` is the sentence of the command line."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The caller."""

    role: Role
    user: str | None
    name: str


class PathStep(TypedDict):
    """A node or a relationship on a path."""

    label: NotRequired[str]
    id: NotRequired[str]
    type: NotRequired[str]
    direction: NotRequired[Literal["out", "in"]]


class EvidenceDocument(TypedDict):
    """One contribution to a score, and the path in the graph that carries it."""

    id: int
    kind: str
    share: float
    contribution: float
    path: list[PathStep]
    facts: dict[str, str | int | float]


class SentenceDocument(TypedDict):
    """One sentence and the evidence that it cites."""

    text: str
    evidence: list[int]


class CapDocument(TypedDict):
    """What a cap does to the place of a product in lists."""

    at_most: int
    per: Per
    rank: int | None
    """None: lists leave it out."""
    rank_without: int
    reason: str | None
    """Why it is left out."""


class RefusalDocument(TypedDict):
    """A rule that excludes the product."""

    rule: str
    code: str
    reason: str


class ExplanationDocument(TypedDict):
    """Why a product has its score for a user: the document of `kinfolio explain --json`."""

    user: str
    product: str
    name: str
    score: float
    version: str | None
    writer: str
    text: str
    sentences: list[SentenceDocument]
    evidence: list[EvidenceDocument]
    remainder: float
    grounded: bool
    known_by: list[str]
    refused_by: list[RefusalDocument]
    untold: list[int]
    plain_sentences: int
    cap: NotRequired[CapDocument]
    """With a cap, of a product that lists may have."""


class ComparisonDocument(TypedDict):
    """Two products side by side for a user."""

    text: str
    products: NotRequired[list[dict[str, Any]]]


class AnswerDocument(TypedDict):
    """One answer of a conversation: the document of `kinfolio chat --json`.

    Further fields depend on the intent.
    """

    intent: str
    confidence: float
    text: str
    asks_back: bool


class Changes(BaseModel):
    """Hypothetical changes of holdings."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"without": ["opal-daily-note"], "with": [], "k": 5}]},
    )

    without: Annotated[list[Id], Field(max_length=MAX_CHANGES)] = []
    """Products assumed not to be held."""
    added: Annotated[list[Id], Field(max_length=MAX_CHANGES, alias="with")] = []
    """Products assumed to be held."""
    product: Id | None = None
    """Product whose score is computed before and after."""
    k: Annotated[int, Field(ge=1, le=1_000)] = 10


class Line(BaseModel):
    """One line of a conversation."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "why the first one?"}]}
    )

    text: Annotated[str, Field(min_length=1, max_length=MAX_LINE_CHARACTERS)]


class Serving(BaseModel):
    """The version to serve."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"version": "2026-11-23"}]}
    )

    version: Annotated[str, Field(min_length=1, max_length=1_000)]


class SplitBody(BaseModel):
    """The part of the users whom the inactive version serves."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"percent": 50}]})

    percent: Annotated[int, Field(strict=True, ge=0, le=MAX_PERCENT)]
    """0: none."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        # A number would be seconds or milliseconds, whichever pydantic guesses.
        raise ValueError("give a time as text, such as 2026-11-23T10:00:00Z")
    return value


class EventBody(BaseModel):
    """What a user did with one product of a list."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "request": "019aa1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                    "product": "opal-daily-note",
                    "kind": "dismissed",
                    "at": "2026-11-23T10:00:00Z",
                }
            ]
        },
    )

    request: Annotated[str, Field(min_length=1, max_length=100)]
    """Of the list."""
    product: Id
    kind: EventKind
    at: Annotated[datetime, BeforeValidator(_text), AfterValidator(in_utc)]
    """Time of the act; without a zone it is UTC."""


class Events(BaseModel):
    """Events of one user."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[EventBody], Field(max_length=MAX_EVENTS)]


class Thread(TypedDict):
    """A conversation."""

    thread: str


class History(TypedDict):
    """The last lines of a conversation and their answers."""

    thread: str
    turns: list[tuple[str, str]]


class Matches(TypedDict):
    """What a search found."""

    matches: list[Match]


class RuleDocument(TypedDict):
    """A rule of eligibility."""

    rule: str
    reason: str
    own: bool


class Rules(TypedDict):
    """All rules that a recommended product passes."""

    rules: list[RuleDocument]


class VersionDocument(TypedDict):
    """One version of the embeddings in the graph: as in `kinfolio versions --json`."""

    name: str
    slot: str
    state: str
    model: str
    heads: int
    dim: int
    users: int
    products: int
    created_at: str
    snapshot: str
    metrics: dict[str, Any]
    index_recall: float | None
    written_by: str
    approved_by: str
    approved_at: str
    split: int
    """Percentage of the users that the ready version serves."""


class Versions(TypedDict):
    """All versions, newest first."""

    versions: list[VersionDocument]
