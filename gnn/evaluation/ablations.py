"""What the model is without one of its parts: trained as the run was, one thing changed.

- `graph only`: no texts.
- `text only`: products have no id and no start from the graph, and there are no links between
  products; what is left is texts, passed along holdings and ties.
- `shuffled text`: every text belongs to another user or product. A fusion that is no better reads
  nothing from its texts.
- `fusion`: with texts, where the run itself had chosen to do without.

They choose for themselves what the run's config leaves open. A control is kept in the run's folder
and trained again when config, snapshot or versions are no longer the run's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from kinfolio.errors import RunBroken
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.text.encoder import Encoder, load_encoder
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.records import Progress, no_progress
from kinfolio.run import Run, read_json

FUSION, GRAPH_ONLY = "fusion", "graph only"


class _ControlRun(Run):
    """A run in a folder of its own that learns from the snapshot of another run."""

    def __init__(self, parent: Run, name: str) -> None:
        super().__init__(parent.folder / "controls" / name.replace(" ", "_"))
        self._parent = parent

    @property
    def snapshot(self) -> Path:
        return self._parent.snapshot


def name_of(info: dict[str, Any]) -> str:
    """What a run's own model is: `fusion` when it reads texts, else `graph only`.

    Args:
        info: content of its `run.json`.
    """
    texts = info["blend"]["text"]
    reads = info["choice"]["text"] or texts["seen"] or texts["unseen"]
    return FUSION if reads else GRAPH_ONLY


def controls_of(info: dict[str, Any]) -> dict[str, TrainConfig]:
    """Name and config of each control of a run; that which the run itself is, is absent.

    Args:
        info: content of its `run.json`.

    Raises:
        RunBroken: its config is that of another version.
    """
    known = {item.name for item in fields(TrainConfig)}
    if set(info["config"]) != known:
        raise RunBroken(
            "the run was trained by another version of kinfolio, so that nothing can be trained "
            "as it was; train it again"
        )
    config = TrainConfig(**info["config"])
    found = {
        GRAPH_ONLY: replace(config, text="off", shuffled_text=False, ids=True),
        FUSION: replace(config, text="on"),
        "text only": replace(config, text="on", ids=False),
        "shuffled text": replace(config, text="on", shuffled_text=True),
    }
    del found[name_of(info)]
    return found


def fit_controls(
    run: Run,
    *,
    cache: Path,
    load: Callable[[str], Encoder] = load_encoder,
    note: Callable[[str], None] = lambda text: None,
    progress: Progress = no_progress,
    only_kept: bool = False,
) -> dict[str, Embeddings]:
    """Name and embeddings of each control, trained where that was not done yet.

    Args:
        run: a trained run.
        cache: file of text vectors met before.
        load: makes the text encoder.
        note: told what the training will cost, before it starts.
        progress: told of every step.
        only_kept: train none, give those that are there.

    Raises:
        RunBroken: the run's config is that of another version.
    """
    info = run.need_info()
    if only_kept and not (run.folder / "controls").is_dir():
        return {}
    controls = {
        name: (_ControlRun(run, name), config) for name, config in controls_of(info).items()
    }
    missing = [name for name, one in controls.items() if not _is_kept(*one, info)]
    if only_kept:
        controls = {name: one for name, one in controls.items() if name not in missing}
    elif missing:
        note(
            f"training {len(missing)} controls ({', '.join(missing)}), each about as long as the "
            f"run itself: {info['seconds']:.0f} s; they are kept in {run.folder / 'controls'}"
        )
        for name in missing:
            control, config = controls[name]
            train(control, config, cache=cache, load=load, progress=_named(name, progress))
    return {name: read_embeddings(control) for name, (control, _) in controls.items()}


def _is_kept(control: Run, config: TrainConfig, info: dict[str, Any]) -> bool:
    if not (control.info.is_file() and control.model.is_file()):
        return False
    kept = read_json(control.info)
    same = asdict(config), info["data"]["snapshot"], info["versions"]
    return same == (kept["config"], kept["data"]["snapshot"], kept["versions"])


def _named(name: str, progress: Progress) -> Progress:
    return lambda step, done, total: progress(f"{name}: {step}", done, total)
