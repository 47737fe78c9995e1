"""The writer that needs no model: a LangChain chat model that follows the grammar by a seed."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from kinfolio.errors import BadConfig
from kinfolio.llm_explain.wording.grammar import Choices, choose


class ChoosingModel(BaseChatModel):
    """Picks wordings by a seed; takes `choices`, the wordings of each sentence."""

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
        **kwargs: Any,  # LangChain hands on whatever the caller bound
    ) -> ChatResult:
        text = choose(need_choices(choices), self.seed)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def need_choices(choices: Choices | None) -> Choices:
    """The wordings, which these models do not write without.

    Raises:
        BadConfig: there are none.
    """
    if not choices:
        raise BadConfig("this model writes only along a grammar; hand in choices=plan.choices")
    return choices
