"""Conversations for tests: with a router, or with a large model that follows a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.agent.agent import Agent
from kinfolio.llm_explain.agent.tools import Query
from kinfolio.llm_explain.conversation.answers import Answers
from kinfolio.llm_explain.conversation.chat import Chat
from kinfolio.llm_explain.conversation.reading import Routes
from kinfolio.llm_explain.wording.seeded_writer import SeededModel
from kinfolio.llm_explain.wording.writers import GrammarWriter, Writer

ME = "people"
NONE = GrammarWriter("none", SeededModel(), tries=3)

Rows = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Chat]
Call = tuple[str, dict[str, Any]]
Script = Callable[[Sequence[BaseMessage]], AIMessage | str | Sequence[Call]]
"""From the messages to the model's text, or to its tool calls."""


class ScriptedModel(BaseChatModel):
    """A chat model whose answers a test determines."""

    script: Script

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> ScriptedModel:
        """Ignore the tools: the script calls them by name."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = self.script(messages)
        if isinstance(answer, str):
            answer = AIMessage(content=answer)
        elif not isinstance(answer, AIMessage):
            calls: Any = [
                {"name": name, "args": arguments, "id": f"{len(messages)}-{number}"}
                for number, (name, arguments) in enumerate(answer)
            ]
            answer = AIMessage(content="", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=answer)])


def start_chat(
    graph: Graph,
    router: Routes,
    user: str = ME,
    *,
    writers: Sequence[Writer] = (NONE,),
    script: Script | None = None,
    query: Query | None = None,
    **more: Any,
) -> Chat:
    """Start a conversation; with a script, a large model replies."""
    agent = Agent(ScriptedModel(script=script), "scripted:large", query) if script else None
    return Chat(Answers(graph, user, writers), router, agent=agent, **more)


def ids(answer: dict[str, Any]) -> list[str]:
    """Return the ids of an answer's products."""
    return [one["product"] for one in answer["products"]]


def dismissed_by(run: Rows) -> list[str]:
    """Return the ids of the products that `ME` dismissed, as the graph has them."""
    rows = run("MATCH (:User {id: $me})-[:DISMISSED]->(p) RETURN p.id AS id", me=ME)
    return [row["id"] for row in rows]


def hostile(*calls: Call, text: str) -> Script:
    """Return a model that calls some tools and then answers the same text to everything."""

    def script(messages: Sequence[BaseMessage]) -> str | Sequence[Call]:
        last = messages[-1]
        is_retry = "had these faults" in str(last.content)
        return calls if calls and isinstance(last, HumanMessage) and not is_retry else text

    return script


def helpful(calls: dict[str, Call]) -> Script:
    """Return a model that makes the call of each line, and places the returned block."""

    def script(messages: Sequence[BaseMessage]) -> str | Sequence[Call]:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            blocks = re.findall(r"\{b\d\}", str(last.content))
            return f"Here is what the graph says. {blocks[0]}"
        call = calls.get(str(last.content))
        return "I am glad to help." if call is None else [call]

    return script
