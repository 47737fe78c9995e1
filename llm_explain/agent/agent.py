"""A large model that replies with the functions of the conversation as tools.

The model places the blocks of its tools, `{b1} {b2}`, and writes connectives between them, which
are checked. A reply with faults is requested once more; after that the answer consists of the
blocks, and without blocks the router replies. Tools only propose changes: the user confirms them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kinfolio.errors import KinfolioError
from kinfolio.llm_explain.agent.free_text_check import fill_blocks, find_faults
from kinfolio.llm_explain.agent.tools import Query, Tools
from kinfolio.llm_explain.conversation.answers import Reply
from kinfolio.llm_explain.conversation.intents import IntentHandler
from kinfolio.llm_explain.conversation.lookup import State

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_LIMITS: Any = {"recursion_limit": 14, "max_concurrency": 1}
"""Model calls and tool calls of one answer, as LangGraph counts them; one tool at a time, since
blocks are numbered in the order of calls. Any: a `RunnableConfig`."""
_log = logging.getLogger(__name__)


class Agent:
    """Replies to lines with a chat model that can call tools."""

    def __init__(self, model: BaseChatModel, name: str, query: Query | None = None) -> None:
        """Take a model and the name under which answers cite it; `query` allows Cypher."""
        self._model = model
        self._name = name
        self._query = query

    def reply(self, line: str, state: State, handler: IntentHandler) -> tuple[str, Reply] | None:
        """Return intent and reply; None where no reply of the model passes the check."""
        from langchain.agents import create_agent

        tools = Tools(handler, state, self._query)
        agent: Any = create_agent(
            self._model, tools=tools.functions, system_prompt=_prompt(self._query is not None)
        )
        messages: list[Any] = []  # Any: messages of LangChain, and pairs of role and text
        for user_line, answer in state.get("turns") or ():
            messages += [("user", user_line), ("assistant", answer)]
        messages.append(("user", line))
        for _ in range(2):
            try:
                found = agent.invoke({"messages": messages}, _LIMITS)
                text = str(found["messages"][-1].text)
            except KinfolioError:
                raise
            except Exception as error:  # each provider has its own errors, and loops end in one
                _log.info("the model %s did not answer: %s", self._name, error)
                break
            replies = [reply for _, reply in tools.blocks]
            faults = find_faults(text, replies)
            if not faults:
                return _joined(tools.blocks, fill_blocks(text, replies), self._name)
            request = "Your answer had these faults; write it again: " + "; ".join(faults)
            messages = [*found["messages"], ("user", request)]
        if not tools.blocks:
            return None
        text = "\n\n".join(reply.text for _, reply in tools.blocks)
        return _joined(tools.blocks, text, self._name)


def _joined(blocks: Sequence[tuple[str, Reply]], text: str, writer: str) -> tuple[str, Reply]:
    fields: dict[str, Any] = {}
    updates: dict[str, Any] = {}
    for intent, reply in blocks:
        fields |= reply.fields
        updates |= reply.updates
        if "product" in reply.fields or "products" in reply.fields:
            updates["last_intent"] = intent
    # A question about a change is always displayed.
    for _, reply in blocks:
        if reply.updates.get("question") and reply.text not in text:
            text = f"{text}\n\n{reply.text}"
    intent = blocks[-1][0] if blocks else "small_talk"
    return intent, Reply(text, {**fields, "answered_by": writer}, updates)


@cache
def _prompt(has_query: bool) -> str:
    names = ["prompt_agent.txt", *(["prompt_cypher.txt"] if has_query else [])]
    folder = files("kinfolio.llm_explain.agent")
    return "\n".join(folder.joinpath(name).read_text("utf-8").strip() for name in names)
