"""The router on its examples, on held-out lines and on nonsense; its encoder."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from kinfolio.errors import BadInput
from kinfolio.llm_explain.conversation.router import (
    INTENTS,
    MAX_LINE_CHARACTERS,
    MIN_CONFIDENCE,
    Router,
    load_examples,
    load_router,
    mask_names,
)
from kinfolio.llm_explain.hf_runtime import offline_transformers
from kinfolio.texts.minilm import MAX_TOKENS, encode, model_folder

EXAMPLES = {line for lines in load_examples().values() for line in lines}
HELD_OUT = {
    intent: [line for line in lines if line not in EXAMPLES]
    for intent, lines in tomllib.loads(
        Path(__file__).with_name("held_out.toml").read_text("utf-8")
    ).items()
}


def test_every_intent_has_enough_examples() -> None:
    examples = load_examples()
    assert all(len(lines) >= 25 for lines in examples.values())
    lines = [line for lines in examples.values() for line in lines]
    assert len(set(lines)) == len(lines)


def test_held_out_lines_are_classified(router: Router) -> None:
    routes = [(intent, router.route(line)) for intent in INTENTS for line in HELD_OUT[intent]]
    right = [intent == route.intent for intent, route in routes]
    sure = [intent == route.intent for intent, route in routes if not route.asks_back]
    asked_back = 1 - len(sure) / len(right)
    print(f"{len(routes)} lines: {sum(right) / len(right):.3f} right, ", end="")
    print(f"{sum(sure) / len(sure):.3f} of those answered, {asked_back:.3f} asked back")
    for intent in INTENTS:
        own = [(route.intent, route.asks_back) for other, route in routes if other == intent]
        hits, back = sum(found == intent for found, _ in own), sum(asks for _, asks in own)
        print(f"{intent}: {hits} of {len(own)} right, {back} asked back")
    assert len(routes) >= 140
    assert sum(right) / len(right) >= 0.85
    assert sum(sure) / len(sure) >= 0.93
    assert asked_back <= 0.2


def test_it_asks_back_below_the_confidence_limit_only(router: Router) -> None:
    lines = [line for lines in HELD_OUT.values() for line in lines]
    routes = [router.route(line) for line in [*lines, "blue", "p12 p13", "seven of nine"]]
    assert {route.asks_back for route in routes} == {True, False}
    assert all(route.asks_back == (route.confidence < MIN_CONFIDENCE) for route in routes)


def test_the_fitted_router_is_read_from_its_file(
    router: Router, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("kinfolio.llm_explain.conversation.router.fit")
    again = load_router(models)
    assert again.route("why not the second?") == router.route("why not the second?")


@pytest.mark.parametrize("content", ["nothing", "a text", "half", "other shapes", "pickled"])
def test_a_damaged_cache_is_fitted_again(
    content: str, router: Router, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = models.glob("router-*.npz")
    file = tmp_path / whole.name
    arrays = {"weights": router.weights[:3], "bias": router.bias}
    if content == "other shapes":
        np.savez(file, **arrays)  # type: ignore[arg-type]  # of numpy's stubs
    elif content == "pickled":
        np.savez(file, **{name: np.array([object()]) for name in arrays})  # type: ignore[arg-type]
    else:
        half = whole.read_bytes()[: whole.stat().st_size // 2]
        file.write_bytes({"nothing": b"", "a text": b"hello", "half": half}[content])
    monkeypatch.setattr("kinfolio.llm_explain.conversation.router.fit", lambda examples: router)
    again = load_router(tmp_path)
    assert again is router
    monkeypatch.undo()
    np.testing.assert_array_equal(load_router(tmp_path).weights, router.weights)


def test_names_do_not_change_the_intent(router: Router) -> None:
    assert mask_names("why not Amber Bond Fund?") == "why not Fund?"
    assert mask_names("Harbour Trust or p12, what should I take?") == (
        "Fund or Fund, what should I take?"
    )
    assert router.route("why not Amber Bond Fund?") == router.route("why not Zzyzx Holdings?")


def test_empty_and_too_long_lines_are_refused(router: Router) -> None:
    with pytest.raises(BadInput, match="empty"):
        router.route(" \n ")
    with pytest.raises(BadInput, match="2,000 is the most"):
        router.route("x" * (MAX_LINE_CHARACTERS + 1))


def test_the_encoder_agrees_with_transformers() -> None:
    with offline_transformers():
        from transformers import AutoModel, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(model_folder())
        model = AutoModel.from_pretrained(model_folder()).eval()
    lines = ["why not the second?", "Élan & Söhne 🪙", "a", "only bonds " * 100]
    for line, vector in zip(lines, encode(lines), strict=True):
        tokens = tokenizer(line, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            mean = model(**tokens).last_hidden_state[0].mean(dim=0)
        expected = torch.nn.functional.normalize(mean, dim=0).numpy()
        np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_routing_a_line_loads_no_language_model_library(router: Router, models: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from kinfolio.llm_explain.conversation.router import load_router\n"
        f"load_router(Path({str(models)!r})).route('why not the second?')\n"
        "assert not {'torch', 'transformers', 'sklearn', 'neo4j'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
