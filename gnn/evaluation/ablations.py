"""Ablations: the model trained as the run was, with one thing changed.

- `graph only`: no texts.
- `text only`: products have no id and no start from the graph, and there are no links between
  products; only texts remain, propagated along holdings and ties.
- `shuffled text`: texts are permuted among users and among products. A fusion that is no better
  gains nothing from its texts.
- `fusion`: with texts, if the run's model reads none.

Each ablation searches its own hyperparameters where the run's config leaves them open. It is stored
in the run's folder and trained again when config, snapshot or versions differ from the run's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from kinfolio.errors import NotReady, RunBroken
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.text.encoder import Encoder, load_encoder
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.earlier import config_of
from kinfolio.gnn.training.train import read_embeddings, train
from kinfolio.records import Progress, no_progress
from kinfolio.run import Run
from kinfolio.storage.run_info import RunInfo

FUSION, GRAPH_ONLY, SHUFFLED = "fusion", "graph only", "shuffled text"


class _AblationRun(Run):
    """A run in a folder of its own that shares the snapshot of another run."""

    def __init__(self, parent: Run, name: str) -> None:
        super().__init__(parent.folder / "controls" / name.replace(" ", "_"))
        self._parent = parent

    @property
    def snapshot(self) -> Path:
        return self._parent.snapshot


def name_of(info: RunInfo) -> str:
    """Return `fusion` if the model of a run with this `run.json` reads texts, else `graph only`."""
    texts = info["blend"]["text"]
    reads = info["choice"]["text"] or texts["seen"] or texts["unseen"]
    return FUSION if reads else GRAPH_ONLY


def ablation_configs(info: RunInfo) -> dict[str, TrainConfig]:
    """Return name and config of each ablation of a run, without the one the run itself is.

    Raises:
        RunBroken: the config in its `run.json` is that of another version.
    """
    config = config_of(info)
    found = {
        GRAPH_ONLY: replace(config, text="off", shuffled_text=False, ids=True),
        FUSION: replace(config, text="on"),
        "text only": replace(config, text="on", ids=False),
        SHUFFLED: replace(config, text="on", shuffled_text=True),
    }
    del found[name_of(info)]
    return found


def fit_ablations(
    run: Run,
    *,
    cache: Path,
    load: Callable[[str], Encoder] = load_encoder,
    warn: Callable[[str], None] = lambda text: None,
    progress: Progress = no_progress,
    only_trained: bool = False,
) -> dict[str, Embeddings]:
    """Return name and embeddings of each ablation; train those that are missing.

    Calls `warn` with the expected cost before training starts. With `only_trained`, trains none and
    returns the existing ones.

    Raises:
        RunBroken: the run's config is that of another version.
    """
    info = run.need_info()
    if only_trained and not (run.folder / "controls").is_dir():
        return {}
    ablations = {
        name: (_AblationRun(run, name), config) for name, config in ablation_configs(info).items()
    }
    missing = [name for name, one in ablations.items() if not _is_current(*one, info)]
    if only_trained:
        ablations = {name: one for name, one in ablations.items() if name not in missing}
    elif missing:
        warn(
            f"training {len(missing)} controls ({', '.join(missing)}), each about as long as the "
            f"run itself: {info['seconds']:.0f} s; they are stored in {run.folder / 'controls'}"
        )
        for name in missing:
            ablation, config = ablations[name]
            train(ablation, config, cache=cache, load=load, progress=_prefixed(name, progress))
    return {name: read_embeddings(ablation) for name, (ablation, _) in ablations.items()}


def _is_current(ablation: Run, config: TrainConfig, info: RunInfo) -> bool:
    try:
        stored = ablation.need_info()
    except (NotReady, RunBroken):
        return False  # it is trained again
    expected = asdict(config), info["data"]["snapshot"], info["versions"]
    return expected == (stored["config"], stored["data"]["snapshot"], stored["versions"])


def _prefixed(name: str, progress: Progress) -> Progress:
    return lambda step, done, total: progress(f"{name}: {step}", done, total)
