"""Conversation with a user: by events, sentence by sentence, or as a plain form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from kinfolio.errors import KinfolioError
from kinfolio.llm_explain.conversation.chat import Chat, mentioned
from kinfolio.llm_explain.conversation.router import MAX_LINE_CHARACTERS
from kinfolio.web.api.conversations import Opened, ThreadId, hold_place, open_chat
from kinfolio.web.callers import AnyCaller, UserId
from kinfolio.web.pages.citations import Citations, citations_of
from kinfolio.web.pages.profile import profile_of
from kinfolio.web.pages.reasons import crumbs
from kinfolio.web.pages.rendering import fragments, link, render
from kinfolio.web.pages.users import SEE_OTHER
from kinfolio.web.sentences import sentences_of_answer
from kinfolio.web.service import Service
from kinfolio.web.site import site_of

router = APIRouter()
Line = Annotated[str, Form(min_length=1, max_length=MAX_LINE_CHARACTERS)]
EXAMPLES = (
    "What do you recommend?",
    "Why the first one?",
    "Something with a lower risk?",
    "What influenced the list?",
)


@router.get("/users/{user:id}/chat")
def begin(request: Request, caller: AnyCaller, user: UserId) -> Response:
    """Begin a conversation."""
    thread = uuid4().hex
    open_chat(request, caller, user, thread)
    return RedirectResponse(link("users", user, "chat", thread), SEE_OTHER)


@router.get("/users/{user:id}/chat/{thread}")
def show_chat(
    request: Request, caller: AnyCaller, user: UserId, thread: ThreadId, chat: Opened
) -> Response:
    """Show a conversation and the form for the next line."""
    return render(
        request,
        "users/chat.html",
        area="users",
        user=user,
        profile=profile_of(site_of(request).service.user_data(user)),
        crumbs=crumbs(caller, user),
        address=link("users", user, "chat", thread),
        turns=[
            (line, [cited(one) for one in text.split("\n") if one.strip()])
            for (line, text), cited in _turns(site_of(request).service, user, chat)
        ],
        examples=EXAMPLES,
    )


@router.post("/users/{user:id}/chat/{thread}", dependencies=[Depends(hold_place)])
def ask(request: Request, user: UserId, thread: ThreadId, chat: Opened, text: Line) -> Response:
    """Answer one line, then show the conversation; for browsers without JavaScript."""
    site_of(request).service.answer(chat, text)
    return RedirectResponse(f"{link('users', user, 'chat', thread)}#ask", SEE_OTHER)


@router.post(
    "/users/{user:id}/chat/{thread}/stream",
    response_class=EventSourceResponse,
    dependencies=[Depends(hold_place)],
)
def stream(request: Request, user: UserId, chat: Opened, text: Line) -> Iterator[ServerSentEvent]:
    """Answer one line as parts of the page: the line, then each sentence after its check."""
    service, turn = site_of(request).service, f"answer-{uuid4().hex}"
    yield _event("asked", turn=turn, line=text)
    try:
        answer = service.answer(chat, text)
        cited = citations_of(service, user, mentioned(answer))
    except KinfolioError as error:
        yield _event("failed", turn=turn, problem=str(error))
        return
    for place, (sentence, _) in enumerate(sentences_of_answer(answer)):
        yield _event("answered", turn=turn, sentence=cited(sentence), is_first=place == 0)


def _turns(service: Service, user: str, chat: Chat) -> Iterator[tuple[list[str], Citations]]:
    """Yield each line and answer, and what adds the links to the answer."""
    for turn, products in zip(chat.turns(), chat.mentioned(), strict=True):
        yield turn, citations_of(service, user, products)


def _event(block: str, **values: object) -> ServerSentEvent:
    return ServerSentEvent(raw_data="".join(fragments("users/turn.html", block, **values)).strip())
