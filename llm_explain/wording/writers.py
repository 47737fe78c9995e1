"""Writers of explanations: chat models under a grammar, and large ones that fill slots.

A writer turns a plan into a text; `explain.py` checks the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kinfolio.errors import BadConfig, NotReady, quoted
from kinfolio.llm_explain.explanation import Problem
from kinfolio.llm_explain.wording.clauses import fields_of
from kinfolio.llm_explain.wording.grammar import sample_wordings
from kinfolio.llm_explain.wording.plan import Plan
from kinfolio.llm_explain.wording.rendering import capitalized

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Notify = Callable[[str], None]
"""Called with a line before a long operation."""
MAX_WORDINGS = 2
MAX_CHOSEN = 3
"""A model under a grammar chooses among so many wordings in so many sentences. Text after the last
choice costs no computation."""
_PROMPT_FIELDS = {
    "prompt_embedded": {"language"},
    "prompt_writer": {"language", "slots", "clauses", "opening", "against", "faults"},
}


class Writer(Protocol):
    """Writes the sentences of a plan that are not fixed."""

    @property
    def name(self) -> str:
        """Name that the explanation gives as its writer."""
        ...

    @property
    def tries(self) -> int:
        """Number of attempts before the next writer is called."""
        ...

    def write(self, plan: Plan, seed: int, faults: Sequence[Problem]) -> str:
        """Return a text; `faults` are those of the previous attempt, `seed` counts the attempts."""
        ...


@dataclass(frozen=True, slots=True)
class GrammarWriter:
    """A chat model that takes `choices` and writes along them."""

    name: str
    model: BaseChatModel
    tries: int = 1

    def write(self, plan: Plan, seed: int, faults: Sequence[Problem]) -> str:
        """Return one wording per sentence."""
        seed += 1_000_003 * len(faults)
        choices = sample_wordings(plan.choices, MAX_WORDINGS, seed, MAX_CHOSEN)
        prompt = _prompt("prompt_embedded").format(language=plan.language)
        return self.model.invoke(prompt, choices=choices).text


@dataclass(frozen=True, slots=True)
class SlotWriter:
    """Any chat model; it writes the words around slots, which are filled here."""

    name: str
    model: BaseChatModel
    tries: int = 2

    def write(self, plan: Plan, seed: int, faults: Sequence[Problem]) -> str:
        """Return the model's text with each slot replaced by its clause and citation.

        Raises:
            NotReady: the model does not answer.
        """
        slots, lines = {}, []
        for number, slot in enumerate(plan.slots, start=1):
            clause = slots[f"c{number}"] = slot.clauses[seed % len(slot.clauses)]
            lines.append(f"{{c{number}}}{' (against)' if slot.is_against else ''}: {clause}")
        mended = "".join(f"\n- {fault.text!r}: {fault.reason}" for fault in faults)
        prompt = _prompt("prompt_writer").format(
            slots=" ".join(f"{{{name}}}" for name in slots),
            clauses="\n".join(lines),
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
        return _fill_slots(answer, slots)


def writers_for(
    model: str | BaseChatModel | None, folder: Path, notify: Notify
) -> tuple[Writer, ...]:
    """Return the writers in the order of their calls; the last one needs no model.

    Args:
        model: "none", "embedded", "provider:name", a chat model, or None: the embedded one when
            its weights are installed.
        folder: cache of the embedded model's converted weights.
        notify: called before a long operation.

    Raises:
        BadConfig: the name is not of these forms.
        NotReady: a package, a key or the weights are missing.
    """
    from kinfolio.llm_explain.wording.embedded import EmbeddedModel, require_weights, weights_file
    from kinfolio.llm_explain.wording.seeded_writer import SeededModel

    none = GrammarWriter("none", SeededModel(), tries=3)
    if model == "none":
        return (none,)
    if model == "embedded":
        require_weights()
    writers: list[Writer] = [none]
    if weights_file() is not None:
        embedded = EmbeddedModel(folder=folder, notify=notify)
        writers.insert(0, GrammarWriter("smollm2-135m", embedded))
    if isinstance(model, str) and model not in ("", "embedded"):
        writers.insert(0, SlotWriter(model, chat_model(model)))
    elif model is not None and not isinstance(model, str):
        writers.insert(0, SlotWriter(model._llm_type, model))
    return tuple(writers)


def chat_model(name: str) -> BaseChatModel:
    """Return the LangChain chat model `provider:name`.

    Raises:
        BadConfig: the name has another form, or there is no such provider.
        NotReady: the provider's package or key is missing.
    """
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise BadConfig(
            f"--model is {quoted(name)}; give provider:name (like openai:gpt-5), embedded or none"
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


def _fill_slots(answer: str, slots: dict[str, str]) -> str:
    """Replace slots by clauses; a clause at the beginning of a sentence gets a capital."""
    text = " ".join(answer.split())
    for name, clause in slots.items():
        place = f"{{{name}}}"
        if text.count(place) != 1:
            # The check reports braces that are left in the text.
            return text if place in text else f"{text} {place}"
        before = text.split(place)[0].rstrip()
        if not before or before[-1] in ".!?":
            clause = capitalized(clause)
        text = text.replace(place, clause)
    return text


@cache
def _prompt(name: str) -> str:
    text = files("kinfolio.llm_explain.wording").joinpath(f"{name}.txt").read_text("utf-8")
    found, expected = fields_of(text), _PROMPT_FIELDS[name]
    if found != expected:
        raise BadConfig(f"{name}.txt has the fields {sorted(found)}, not {sorted(expected)}")
    return text.strip()
