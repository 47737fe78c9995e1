"""The step `train`: a snapshot in, a model file and `run.json` out.

`kinfolio.gnn.model.head` names the papers and the formula. What the config leaves open is chosen on
the validation set; a snapshot without one has a tenth of its training interactions held back, and
the heads are refitted on all of them in the end.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch

from kinfolio.errors import BadConfig, quoted
from kinfolio.gnn.data import training_data, validation_mask
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.model_file import read_model
from kinfolio.gnn.text.encoder import Encoder, load_encoder
from kinfolio.gnn.text.features import TextFeatures, has_texts, read_vectors
from kinfolio.gnn.training.budget import Budget, parse_budget
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.context import TrainingContext
from kinfolio.gnn.training.earlier import Earlier
from kinfolio.gnn.training.ensemble import Ensemble
from kinfolio.gnn.training.inputs import TrainingInputs, training_inputs
from kinfolio.gnn.training.memory import check_memory, retain_freed_memory
from kinfolio.gnn.training.run_report import Outcome, Trained, Validated
from kinfolio.gnn.training.search.candidates import DIMS
from kinfolio.gnn.training.search.race import Race
from kinfolio.gnn.training.search.search import Search
from kinfolio.records import Progress, Snapshot, no_progress
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot
from kinfolio.storage.lock import locked


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Count the tiniest numbers as 0, which is faster, during the block.

    A mode of the processor: left on, it changes the arithmetic of the caller's program, too.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@retain_freed_memory()
@_flushed_denormals()
def train(
    run: Run,
    config: TrainConfig,
    *,
    cache: Path,
    load: Callable[[str], Encoder] = load_encoder,
    is_stopped: Callable[[], bool] = lambda: False,
    progress: Progress = no_progress,
    earlier: Earlier | None = None,
) -> Trained:
    """Train on the run's snapshot; write the model file, then `run.json`.

    An interrupted training is resumed by the next call with the same config and snapshot. On a CPU
    the result is the same to the last digit, unless the budget was the limit.

    Args:
        run: has a snapshot; an older model is replaced only by a finished new one.
        config: what is not searched.
        cache: file of text vectors encoded before.
        load: returns the text encoder.
        is_stopped: polled; once true, training ends with the best model so far; it can be resumed.
        progress: called after every step.
        earlier: run whose choices are repeated; None: they are searched.

    Raises:
        KeyboardInterrupt: stopped before there was a model.
        NotReady: no snapshot or encoder, out of memory, or another process works on the run.
        BadInput, BadConfig: no training interactions; no such device.
    """
    run.need_snapshot()
    with locked(run.folder, "train"):
        started = time.monotonic()
        snapshot, device = read_snapshot(run.snapshot), pick_device(config.device)
        torch.manual_seed(config.seed)
        features = _text_features(snapshot, config, cache, load, progress)
        masks = validation_mask if earlier is None else earlier.validation_mask
        held_back = masks(snapshot, config.seed)
        data = training_data(snapshot, device, held_back)
        check_memory(snapshot, config, data, progress)
        # Encoding texts is not charged: it is done once for all trainings.
        context = TrainingContext(
            config=config,
            budget=Budget(parse_budget(config.budget, len(data.user)), is_stopped),
            checkpoints=_checkpoints(run, config, snapshot, earlier),
            on_step=progress,
            has_valid_split=held_back is None,
        )
        inputs = training_inputs(data, features, config, max_dim=config.dim or DIMS[-1])
        choice = (earlier and earlier.choice) or Search(inputs, context).run()
        race = Race(inputs, context, choice)
        result = race.run()
        ensemble = Ensemble.fit(result.heads, inputs, context)
        validated = Validated.of(ensemble, snapshot, held_back)
        if context.is_refitted and not is_stopped():
            whole = training_data(snapshot, device, with_valid=config.final)
            inputs = training_inputs(whole, features, config, max_dim=choice.dim)
            ensemble = _last_fit(ensemble, race, inputs, context)
        seconds = round(time.monotonic() - started, 2)
        done = Outcome(context, choice, result, ensemble, seconds, validated)
        return done.write(run, snapshot, _versions())


def _last_fit(
    ensemble: Ensemble, race: Race, inputs: TrainingInputs, context: TrainingContext
) -> Ensemble:
    """Return the ensemble trained once more on all data, unless the user asks to finish early."""
    members = race.refit(inputs, ensemble.members)
    return ensemble if context.budget.is_stopped() else ensemble.refit(members, inputs, context)


def read_embeddings(run: Run) -> Embeddings:
    """Return the embeddings of a finished training.

    Raises:
        NotReady: the run was not trained.
        RunBroken: training was interrupted, or a file is damaged.
    """
    return read_model(run)[1]


def read_servable(run: Run) -> Embeddings:
    """Return the embeddings of a finished training that can be served from the graph.

    Raises:
        NotReady: the run was not trained.
        RunBroken: training was interrupted, or a file is damaged.
        BadConfig: it was trained on interactions that do not count in the graph.
    """
    info, embeddings = read_model(run)
    if "valid" in info.get("learned_from", ()):
        raise BadConfig(
            f"the run in {run.folder} was trained on interactions marked valid (--final), which do "
            "not count in the graph, so that no explanation would add up; train without --final, "
            "or load them without a split"
        )
    return embeddings


def pick_device(name: str) -> torch.device:
    """Return the device of that name; `auto` is the GPU if there is one.

    Raises:
        BadConfig: no such device.
    """
    has_gpu = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if has_gpu else "cpu")
    if name.split(":")[0] not in ("cpu", "cuda"):
        raise BadConfig(f"--device is {quoted(name)}; expected auto, cpu or cuda")
    if name.startswith("cuda") and not has_gpu:
        raise BadConfig(f"--device is {name}, but torch sees no GPU here; type: --device auto")
    return torch.device(name)


def _text_features(
    snapshot: Snapshot,
    config: TrainConfig,
    cache: Path,
    load: Callable[[str], Encoder],
    progress: Progress,
) -> TextFeatures | None:
    if config.text == "off" or not (config.vectors or has_texts(snapshot)):
        return None
    return TextFeatures(
        snapshot,
        cache,
        most=config.reviews,
        encoder=config.encoder,
        load=load,
        external=read_vectors(Path(config.vectors), snapshot) if config.vectors else None,
        progress=partial(progress, "reading texts"),
    )


def _checkpoints(
    run: Run, config: TrainConfig, snapshot: Snapshot, earlier: Earlier | None
) -> Checkpoints:
    """Return the checkpoints of a training with all that its result depends on."""
    vectors = (
        hashlib.sha256(Path(config.vectors).read_bytes()).hexdigest() if config.vectors else ""
    )
    identity = {
        "config": asdict(config),
        "snapshot": snapshot.hash,
        "vectors": vectors,
        "versions": _versions(),
        "earlier": None if earlier is None else earlier.info.get("checksums"),
    }
    return Checkpoints(run.folder / "checkpoints", identity)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("kinfolio", "torch", "torch-geometric")}
