"""Conversations for tests: with the real router, or with a strong model that follows a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from kinfolio.cli.wiring import make_tools
from kinfolio.cypher.graph import Graph
from kinfolio.llm_explain.agent.agent import Agent, Query
from kinfolio.llm_explain.conversation.chat import Chat, Routes
from kinfolio.llm_explain.wording.seeded_writer import ChoosingModel
from kinfolio.llm_explain.wording.writers import GrammarWriter, Writer

ME = "people"
NONE = GrammarWriter("none", ChoosingModel(), tries=3)

Call = tuple[str, dict[str, Any]]
Script = Callable[[Sequence[BaseMessage]], AIMessage | str | Sequence[Call]]
"""From what a model sees to what it says, or to the tools it calls."""


class ScriptedModel(BaseChatModel):
    """A chat model that does what a test wrote down."""

    script: Script

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> ScriptedModel:
        """Tools are called by the script."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        said = self.script(messages)
        if isinstance(said, str):
            said = AIMessage(content=said)
        elif not isinstance(said, AIMessage):
            calls: Any = [
                {"name": name, "args": arguments, "id": f"{len(messages)}-{number}"}
                for number, (name, arguments) in enumerate(said)
            ]
            said = AIMessage(content="", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=said)])


def talk(
    graph: Graph,
    router: Routes,
    user: str = ME,
    *,
    writers: Sequence[Writer] = (NONE,),
    script: Script | None = None,
    query: Query | None = None,
    **more: Any,
) -> Chat:
    """A conversation; with a script, a strong model holds it."""
    agent = Agent(ScriptedModel(script=script), "scripted:strong", query) if script else None
    return Chat(user, graph, make_tools(graph, writers), router, agent=agent, **more)


def hostile(*calls: Call, says: str) -> Script:
    """A model that calls some tools and then says the same, whatever it is told."""

    def script(messages: Sequence[BaseMessage]) -> str | Sequence[Call]:
        is_asked = isinstance(messages[-1], HumanMessage)
        mended = is_asked and "had these faults" in str(messages[-1].content)
        return calls if is_asked and not mended and calls else says

    return script


def obliging(tools: dict[str, Call]) -> Script:
    """A strong model that knows which tool a line wants, and places what it gave."""

    def script(messages: Sequence[BaseMessage]) -> str | Sequence[Call]:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            blocks = re.findall(r"\{b\d\}", str(last.content))
            return f"Here is what the graph says. {blocks[0]}"
        return [tools[str(last.content)]] if str(last.content) in tools else "I am glad to help."

    return script
