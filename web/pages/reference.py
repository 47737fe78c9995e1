"""The reference of the API: its OpenAPI document as a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from kinfolio.web.pages.rendering import render

router = APIRouter()
_METHODS = ("get", "post", "put", "delete")
_LONGEST_TYPE = 60
Document = dict[str, Any]
"""A part of an OpenAPI document. Any: JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter, or a field of a body or an answer."""

    name: str
    place: str
    """`path`, `query`, `body` or `answer`."""
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path."""

    tag: str
    name: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    inputs: tuple[Field, ...]
    media_type: str
    """Of the answer; empty: it has no body."""
    answer: tuple[Field, ...]
    errors: tuple[str, ...]
    """Statuses."""


@router.get("/docs")
def show_reference(request: Request) -> HTMLResponse:
    """Show all operations of the API."""
    document: Document = request.app.openapi()
    operations = sorted(_operations(document), key=lambda one: (one.tag, one.path, one.method))
    groups = [(tag, list(found)) for tag, found in groupby(operations, lambda one: one.tag)]
    base = str(request.base_url).rstrip("/")
    return render(request, "reference.html", area="docs", groups=groups, base=base)


def _operations(document: Document) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, found in methods.items():
            if method in _METHODS:
                summary, *paragraphs = found.get("description", found["summary"]).split("\n\n")
                media_type, schema = _answer(found["responses"])
                yield Operation(
                    tag=found.get("tags", ["other"])[0],
                    name=found["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=summary,
                    paragraphs=tuple(paragraphs),
                    inputs=(*_parameters(found), *_body(document, found)),
                    media_type=media_type,
                    answer=tuple(_fields(document, schema, "answer")),
                    errors=tuple(code for code in found["responses"] if code >= "400"),
                )


def _parameters(operation: Document) -> Iterator[Field]:
    for one in operation.get("parameters", ()):
        if one["in"] in ("path", "query"):
            yield Field(
                name=one["name"],
                place=one["in"],
                type=_type(one["schema"]),
                is_required=one.get("required", False),
                description=one.get("description", ""),
            )


def _body(document: Document, operation: Document) -> Iterator[Field]:
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        yield from _fields(document, media["schema"], "body")


def _answer(responses: Document) -> tuple[str, Document]:
    content: Document = next(
        (found.get("content", {}) for code, found in responses.items() if code < "300"), {}
    )
    for media_type, media in content.items():
        return media_type, media.get("schema", {})
    return "", {}


def _fields(document: Document, schema: Document, place: str) -> Iterator[Field]:
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield Field(
            name=name,
            place=place,
            type=_type(one),
            is_required=name in required,
            description=one.get("description", ""),
        )


def _resolved(document: Document, schema: Document) -> Document:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Document = document["components"]["schemas"][name] if name else schema
    return found


def _type(schema: Document) -> str:
    """Return a schema as a short text, like `list of Recommended` or `text or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    limits = [f"{sign} {schema[key]}" for key, sign in _LIMITS.items() if key in schema]
    return ", ".join([_WORDS.get(kind, kind), *limits])[:_LONGEST_TYPE]


_WORDS = {"string": "text", "object": "object", "integer": "whole number"}
_LIMITS = {"minimum": "≥", "maximum": "≤"}
