"""Conversations: a thread belongs to its caller and to one user; no other caller can read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from kinfolio.errors import KinfolioError
from kinfolio.json_text import plain_value
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.web.api.schemas import AnswerDocument, History, Line, Thread
from kinfolio.web.callers import AnyCaller, Caller, UserId
from kinfolio.web.problems import Document, content_of
from kinfolio.web.sentences import sentences_of_answer
from kinfolio.web.site import site_of

router = APIRouter(prefix="/users/{user:id}/threads", tags=["conversations"])

ThreadId = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{32}$",
        description="as POST .../threads returned it",
        examples=["0f1e2d3c4b5a69788796a5b4c3d2e1f0"],
    ),
]


def open_chat(request: Request, caller: AnyCaller, user: UserId, thread: ThreadId) -> Chat:
    """Return a conversation of the caller; a new one where the thread has no lines yet."""
    return site_of(request).service.chat(
        user, thread_key(caller, thread), may_delete=caller.role != "analyst"
    )


def thread_key(caller: Caller, thread: str) -> str:
    """Return the name under which a thread of a caller is stored."""
    return f"web/{caller.token}/{thread}"


Opened = Annotated[Chat, Depends(open_chat)]


def hold_place(request: Request, _: Opened) -> Iterator[None]:
    """Hold one of the limited places for conversations until the response has been sent.

    Not before the caller is known: others must not take places.
    """
    with site_of(request).chats.take():
        yield


_limited = [Depends(hold_place)]


@router.post("", status_code=201, response_model=Thread)
def create(request: Request, caller: AnyCaller, user: UserId) -> Document:
    """Begin a conversation about a user."""
    thread = uuid4().hex
    open_chat(request, caller, user, thread)
    return Document({"thread": thread}, 201)


@router.get("/{thread}", response_model=History)
def history(chat: Opened, thread: ThreadId) -> Document:
    """Return the last lines of a conversation and their answers; none in a new one."""
    return Document({"thread": thread, "turns": chat.turns()})


@router.delete("/{thread}", status_code=204, response_class=Response)
def delete(chat: Opened) -> None:
    """Delete a conversation."""
    chat.forget()


@router.post("/{thread}/answers", response_model=AnswerDocument, dependencies=_limited)
def answer(request: Request, chat: Opened, line: Line) -> Document:
    """Answer one line in one document, that of `kinfolio chat --json`."""
    return Document(site_of(request).service.answer(chat, line.text))


@router.post(
    "/{thread}/messages",
    response_class=EventSourceResponse,
    dependencies=_limited,
)
def messages(request: Request, chat: Opened, line: Line) -> Iterator[ServerSentEvent]:
    """Answer one line, sentence by sentence, each after its check.

    Events: `sentence` with text and evidence; `done` with the fields of the answer; `error` with a
    problem document.
    """
    try:
        found = site_of(request).service.answer(chat, line.text)
    except KinfolioError as error:
        yield ServerSentEvent(event="error", data=content_of(error))
        return
    for text, evidence in sentences_of_answer(found):
        yield ServerSentEvent(event="sentence", data={"text": text, "evidence": evidence})
    yield ServerSentEvent(event="done", data=plain_value(found))
