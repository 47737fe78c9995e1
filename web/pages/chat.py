"""Conversation with a user: by events, sentence by sentence, or as a plain form.

Cited evidence and named products of an answer are links to the reasons.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup, escape
from starlette.responses import RedirectResponse, Response

from kinfolio.errors import KinfolioError
from kinfolio.json_text import UNSAFE
from kinfolio.llm_explain.conversation.chat import Chat, Mentioned, mentioned
from kinfolio.llm_explain.conversation.router import MAX_LINE_CHARACTERS
from kinfolio.web.api.conversations import Opened, ThreadId, hold_place, open_chat
from kinfolio.web.callers import AnyCaller, UserId
from kinfolio.web.pages.profile import profile_of
from kinfolio.web.pages.reasons import crumbs
from kinfolio.web.pages.rendering import CITATION, fragments, link, render
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


@dataclass(frozen=True, slots=True)
class Citations:
    """Adds the links to the sentences of one answer."""

    user: str
    explained: str | None
    """The product whose evidence is cited."""
    products: dict[str, str]
    """Ids by the names that the text uses."""

    def __call__(self, text: str) -> Markup:
        """Return a sentence as markup; everything but the links is escaped."""
        return Markup("").join(self._parts(UNSAFE.sub(" ", text)))

    def _parts(self, text: str) -> Iterator[Markup]:
        names = "|".join(map(re.escape, sorted(self.products, key=len, reverse=True)))
        # A name is tried first: it may be quoted and have brackets.
        pattern = rf"(?<!\w)(?P<name>{names or '(?!)'})(?!\w)|{CITATION.pattern}"
        end = 0
        for found in re.finditer(pattern, text):
            yield escape(text[end : found.start()])
            end = found.end()
            if found["name"]:
                yield _anchor(self._why(self.products[found["name"]]), found["name"])
            elif found["quoted"]:
                yield escape(found["quoted"])
            elif self.explained is not None:
                yield self._citation(self.explained, found["number"])
        yield escape(text[end:])

    def _citation(self, product: str, number: str) -> Markup:
        address = f"{self._why(product)}#evidence-{number}"
        return Markup('<a class="cite" href="{}" aria-label="evidence {}">{}</a>').format(
            address, number, number
        )

    def _why(self, product: str) -> str:
        return link("users", self.user, "why", product)


def citations_of(service: Service, user: str, mentioned: Mentioned) -> Citations:
    """Return what adds the links to an answer about some products."""
    found = service.product_names(mentioned.products) if mentioned.products else {}
    displayed = {id: service.display.display_name(name) for id, name in found.items()}
    times = Counter(displayed.values())
    # Where names are alike, answers have the id as well.
    names = {name: id for id, name in displayed.items() if times[name] == 1}
    names |= {service.display.name_with_id(name, id): id for id, name in found.items()}
    return Citations(user, mentioned.explained, names)


def _anchor(address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, text)
