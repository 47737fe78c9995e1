"""The answers of the server: one method for each question, called by the API and the pages.

Nothing is checked about the caller; `callers.py` does that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.models import show
from kinfolio.environment import deployment
from kinfolio.errors import BadInput
from kinfolio.events.log import EventLog
from kinfolio.events.records import Event
from kinfolio.gnn.feedback.record import Recorded, record_events
from kinfolio.gnn.feedback.report import EventReport, event_report, withheld
from kinfolio.gnn.serving.caps.all_lists import all_lists
from kinfolio.gnn.serving.caps.caps import CappedRecommendations, ListCaps, recommend_capped
from kinfolio.gnn.serving.caps.effect import why_not_capped
from kinfolio.gnn.serving.recommend import recommend
from kinfolio.gnn.serving.recommend_all import ListLine
from kinfolio.gnn.serving.rules import Rule
from kinfolio.gnn.serving.what_if import recommend_filtered, what_if
from kinfolio.gnn.serving.why_not import why_not
from kinfolio.llm_explain.conversation.answers import Answers, Reply
from kinfolio.llm_explain.conversation.chat import Chat, require_user
from kinfolio.llm_explain.conversation.mention import ProductRef
from kinfolio.llm_explain.conversation.reading import Routes
from kinfolio.llm_explain.conversation.user_data import delete_user
from kinfolio.llm_explain.explain import explain
from kinfolio.llm_explain.explanation import Explanation
from kinfolio.llm_explain.in_list import explain_in_list
from kinfolio.llm_explain.wording.plan import Length
from kinfolio.records import (
    ListFilters,
    NodeView,
    Recommendations,
    WhatIf,
    WhyNot,
)
from kinfolio.web.graph_answers import MAX_NEIGHBOURS, GraphAnswers
from kinfolio.web.records import CappedList, ServedList, Wording

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver


class Service(GraphAnswers):
    """Answers from one graph; `GraphAnswers` has those without a user."""

    def __init__(
        self,
        graph: Graph,
        wording: Wording,
        *,
        rules: Sequence[Rule] = (),
        router: Routes,
        conversations: BaseCheckpointSaver[Any],
        events: EventLog,
        run: Path,
    ) -> None:
        super().__init__(graph, rules, wording.clauses["en"])
        self.run = run
        self.events = events
        self._wording = wording
        self._router = router
        self._conversations = conversations
        self._model_lock: AbstractContextManager[Any] = (
            Lock() if wording.is_shared else nullcontext()
        )

    def recommend(
        self,
        user: str,
        k: int = 10,
        *,
        category: str | None = None,
        exclude: Sequence[str] = (),
        caps: ListCaps | None = None,
    ) -> tuple[Recommendations, tuple[str, ...]]:
        """Return a list and the notes about it, such as why it is short.

        Products have the kind or category, if one is given, and are none of `exclude`. A list under
        `caps` has no other restriction.
        """
        notes: list[str] = []
        if caps is not None:
            return recommend_capped(
                self.graph, user, k, caps, rules=self.rules, warn=notes.append
            ), tuple(notes)
        if category is None and not exclude:
            found = recommend(self.graph, user, k, rules=self.rules, warn=notes.append)
        else:
            filters = ListFilters(
                kinds=(category.casefold(),) if category else (),
                excluded_products=tuple(map(self.normal_id, exclude)),
            )
            found = recommend_filtered(self.graph, user, filters, k, rules=self.rules)
        return found, tuple(notes)

    def serve_list(
        self,
        user: str,
        k: int = 10,
        *,
        category: str | None = None,
        exclude: Sequence[str] = (),
        caps: ListCaps | None = None,
    ) -> ServedList:
        """Return a list as `recommend` does, under an id for the events about it."""
        found, notes = self.recommend(user, k, category=category, exclude=exclude, caps=caps)
        shown = self.events.show(
            user=found.user,
            version=found.version,
            source=found.source,
            products=[one.product for one in found.products],
            split=found.split,
        )
        fields: dict[str, Any] = {  # Any: those of `ServedList`
            "request": shown.request,
            "notes": notes,
            **{item.name: getattr(found, item.name) for item in dataclass_fields(found)},
        }
        return (CappedList if isinstance(found, CappedRecommendations) else ServedList)(**fields)

    def explain(
        self,
        user: str,
        product: str,
        *,
        length: Length = "normal",
        language: str = "en",
        all_evidence: bool = False,
        caps: ListCaps | None = None,
    ) -> Explanation:
        """Explain the score of a product for a user, and what a cap on lists does to it."""
        if language not in self._wording.clauses:
            known = " or ".join(self._wording.clauses)
            raise BadInput(f"the language is {language!r}; give {known}")
        clauses = self._wording.clauses[language].with_rules(self.rules)
        with self._model_lock:
            found = explain(
                self.graph,
                user,
                product,
                self._wording.writers,
                all_evidence=all_evidence,
                clauses=clauses,
                length=length,
            )
        if caps is None:
            return found
        return explain_in_list(self.graph, found, caps, clauses, rules=self.rules)

    def first_reason(self, user: str, product: str, language: str = "en") -> str:
        """Return the strongest reason for a product in one sentence; empty if it has none."""
        found = explain(
            self.graph,
            user,
            product,
            self._wording.writers[-1:],
            clauses=self._wording.clauses[language],
            length="short",
        )
        return next((one.text for one in found.sentences if one.evidence), "")

    def why_not(self, user: str, product: str, caps: ListCaps | None = None) -> WhyNot:
        """Return the verdict of each rule on a product for a user, and its rank."""
        if caps is not None:
            return why_not_capped(self.graph, user, product, caps, rules=self.rules)
        return why_not(self.graph, user, product, rules=self.rules)

    def what_if(
        self,
        user: str,
        without: Sequence[str],
        added: Sequence[str],
        *,
        product: str | None = None,
        k: int = 10,
    ) -> WhatIf:
        """Return the list as if some holdings were removed and others added."""
        return what_if(
            self.graph,
            user,
            without=list(map(self.normal_id, without)),
            added=list(map(self.normal_id, added)),
            product_id=None if product is None else self.normal_id(product),
            k=k,
            rules=self.rules,
        )

    def compare(self, user: str, first: str, second: str) -> Reply:
        """Compare two products for a user, in words and fields."""
        names = {one: self.product_name(one) for one in (first, second)}
        answers = self._answers(user)
        return answers.compare(*(ProductRef(id, name) for id, name in names.items()))

    def lists(self, k: int, caps: ListCaps | None = None) -> Iterator[ListLine]:
        """Yield the lines of all users' lists."""
        return all_lists(self.graph, k, caps, rules=self.rules).lines()

    def record(self, user: str, events: Sequence[Event]) -> Recorded:
        """Record what a user did with products of lists that `serve_list` returned."""
        return record_events(self.graph, self.events, user, events)

    def event_report(self, days: int | None = None) -> EventReport:
        """Return what users did with the lists of the last days; None: of all days."""
        return withheld(event_report(self.events.stories(days), days), deployment().min_people)

    def undo_dismissal(self, user: str, product: str) -> None:
        """Let a product that the user dismissed be recommended again."""
        self.graph.write("change_undo_dismissal", user_id=user, product_id=product)

    def chat(self, user: str, thread: str, *, may_delete: bool) -> Chat:
        """Begin a conversation with a user, or resume it.

        `may_delete`: whether the caller can have the user's data deleted in it.

        Raises:
            NotFound: there is no such user.
        """
        return Chat(
            replace(self._answers(user), may_delete=may_delete),
            self._router,
            thread=thread,
            checkpointer=self._conversations,
            events=self.events,
        )

    def answer(self, chat: Chat, line: str) -> dict[str, Any]:
        """Answer one line of a conversation; a JSON document."""
        with self._model_lock:
            return chat.answer(line)

    def user_data(self, user: str) -> NodeView:
        """Return what the graph stores about a user, without the people behind ties."""
        found = show(self.graph, "user", user, sample=MAX_NEIGHBOURS)
        samples = {
            name: tuple({**one, "user": None, "name": None} for one in rows)
            if name == "ties"
            else rows
            for name, rows in found.samples.items()
        }
        return replace(found, samples=samples)

    def delete_user(self, user: str) -> None:
        """Delete a user's conversations and events, then what the graph stores about the user.

        Raises:
            NotFound: there is no such user.
        """
        require_user(self.graph, user)
        delete_user(self.graph, user, self._conversations, self.events)

    def _answers(self, user: str) -> Answers:
        return Answers(
            self.graph,
            user,
            self._wording.writers,
            self.rules,
            self.display,
            contact=self._wording.contact,
        )
