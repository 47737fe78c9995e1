"""A LangChain chat model without weights: it chooses wordings by a seed."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from kinfolio.errors import BadConfig
from kinfolio.llm_explain.wording.grammar import Choices, choose


class SeededModel(BaseChatModel):
    """Chooses wordings by a seed; takes `choices`, the wordings of each sentence."""

    seed: int = 0

    @property
    def _llm_type(self) -> str:
        return "kinfolio-none"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        choices: Choices | None = None,
        **kwargs: Any,  # LangChain passes whatever the caller bound
    ) -> ChatResult:
        text = choose(require_choices(choices), self.seed)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def require_choices(choices: Choices | None) -> Choices:
    """Return the wordings.

    Raises:
        BadConfig: there are none.
    """
    if not choices:
        raise BadConfig("this model writes only along a grammar; pass choices=plan.choices")
    return choices
