"""The step `train`: a snapshot in, a model file and `run.json` out.

Papers and formula: `kinfolio.gnn.model.head`. What is not fixed is chosen on the validation
part; when the snapshot has none, a tenth of the training holdings plays it and is put back for the
last fit.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch

from kinfolio.errors import BadConfig
from kinfolio.gnn.blend.blend import (
    Blend,
    blended,
    choose_blend,
    links_of,
    offset_of_unseen,
    weighed,
)
from kinfolio.gnn.blend.links import CommonHolders
from kinfolio.gnn.blend.reviewers import Reviewers, choose_reviewers
from kinfolio.gnn.blend.text_block import TextBlock, TextWeights, choose_text
from kinfolio.gnn.data import hold_back, training_data
from kinfolio.gnn.embeddings import Embeddings
from kinfolio.gnn.model.svd_init import SvdStart
from kinfolio.gnn.ranking import Quality, figures_of
from kinfolio.gnn.text.encoder import Encoder, load_encoder
from kinfolio.gnn.text.external_vectors import read_vectors
from kinfolio.gnn.text.features import TextFeatures, has_texts
from kinfolio.gnn.training.budget import Budget, seconds_of
from kinfolio.gnn.training.checkpoints import Checkpoints
from kinfolio.gnn.training.choose import DIMS, HEADS, Choice, choose
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.gnn.training.embeddings import embeddings_of, load_embeddings, save_embeddings
from kinfolio.gnn.training.head_trainer import score_with
from kinfolio.gnn.training.heads import Heads, text_of, watch_of
from kinfolio.gnn.training.memory import kept_memory
from kinfolio.records import Progress, Snapshot, no_progress
from kinfolio.run import Run, write_json
from kinfolio.snapshot import read_snapshot
from kinfolio.tabular import Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained(Tabular):
    """What a training did and how good it was on the validation part."""

    epochs: float
    """Passes over the training interactions of the longest head."""
    valid: Quality
    seconds: float
    cpu_seconds: float
    """What the budget is counted in."""
    tau: float
    choice: Choice
    blend: Blend
    has_stopped: bool
    """Whether somebody asked to finish early."""


@kept_memory()
def train(
    run: Run,
    config: TrainConfig,
    *,
    cache: Path,
    load: Callable[[str], Encoder] = load_encoder,
    is_stopped: Callable[[], bool] = lambda: False,
    progress: Progress = no_progress,
) -> Trained:
    """Train on the run's snapshot; the model file, then `run.json`, are written at the end.

    One that was cut off is gone on with by the next call with the same config and snapshot, and
    ends as it would have, to the last digit on a CPU, unless it has come to decide by what is left
    of the budget.

    Args:
        run: has a snapshot; an older model in it is replaced only by a finished new one.
        config: what is fixed.
        cache: file of text vectors met before.
        load: makes the text encoder.
        is_stopped: asked again and again; once it is true, the model is that of the best steps so
            far, and the next call with the same config goes on all the same.
        progress: told of every step.

    Raises:
        KeyboardInterrupt: stopped before there was anything worth keeping.
        NotReady: no snapshot, or no encoder.
        BadInput: nothing to learn from.
        BadConfig: a device that is not there.
    """
    started = time.monotonic()
    snapshot = read_snapshot(run.need_snapshot())
    device = pick_device(config.device)
    torch.manual_seed(config.seed)
    torch.set_flush_denormal(True)
    features = _features(snapshot, config, cache, load, progress)
    held_back = hold_back(snapshot, config.seed)
    data = training_data(snapshot, device, held_back)
    # Reading texts is not counted: it is done once for all trainings.
    budget = Budget(seconds_of(config.budget, len(data.user)), is_stopped)
    checkpoints = Checkpoints(
        run.folder / "checkpoints",
        {
            "config": asdict(config),
            "snapshot": snapshot.hash,
            "vectors": _hash_of(config.vectors),
            "versions": _versions(),
        },
    )
    is_refitted = held_back is not None or config.final
    text = text_of(features, data, config)
    start = SvdStart(data.held, config.dim or DIMS[-1])
    choice = choose(
        data,
        text,
        config,
        start,
        budget,
        lambda label: watch_of(label, progress),
        rounds=1 + is_refitted,
        checkpoints=checkpoints,
    )
    spent = {"choosing": budget.spent}
    full = replace(
        config,
        dim=choice.dim,
        heads=choice.heads,
        cold=choice.cold,
        steps=choice.steps or config.steps,
    )
    heads = Heads(
        config=full,
        has_text=choice.text,
        budget=budget,
        progress=progress,
        checkpoints=checkpoints,
        rounds=1 + is_refitted,
        other_text=choice.other_text,
        most=0 if config.heads or config.quick or is_refitted else HEADS,
    )
    best = heads.best(data, text, start, choice.taus, is_race=choice.is_race)
    tau, fitted = best.tau, best.fitted
    if len(fitted) > choice.heads:
        skipped = tuple(what for what in choice.skipped if what != f"{HEADS} heads")
        choice = replace(choice, heads=len(fitted), skipped=skipped)
    choice = replace(choice, text=fitted[0].has_text, skipped=choice.skipped + best.skipped)
    spent["heads"] = budget.spent
    score = score_with([one.head for one in fitted], data.matrix)
    with budget.counted():
        reviewers = Reviewers([one.head for one in fitted], data)
        of_reviewers = choose_reviewers(score, data, reviewers)
        score = reviewers.add(score, of_reviewers) if of_reviewers else score
        weights = TextWeights()
        block = TextBlock(text(full.dim).mixed, data) if text is not None else None
        if block is not None:
            progress("trying texts beside the heads", 0, 0)
            weights = choose_text(score, data, block)
            score = block.add(score, weights) if weights else score
        holders = CommonHolders(data.held) if config.links == "auto" and config.ids else None
        chosen = choose_blend(
            score, data, holders, lambda recipe: progress(f"trying links, {recipe}", 0, 0)
        )
        blend = replace(chosen.blend, text=weights, reviewers=of_reviewers)
        links = None
        if chosen.links is not None:
            links = weighed(chosen.links, blend, score, data)
        if not data.is_later:
            offset = offset_of_unseen(blended(score, data, blend, links), data)
            blend = replace(blend, offset=offset)
        valid = Quality.of(figures_of(blended(score, data, blend, links), data.held, data.wanted))
    spent["blend"] = budget.spent
    learned_from = ["train"]
    if is_refitted and not is_stopped():
        # What was held back to choose by is learned from too, for as long as was best without it.
        whole = training_data(snapshot, device, with_valid=config.final)
        text_of_whole = text_of(features, whole, config)
        again = heads.again(whole, text_of_whole, tau, fitted, config.steps)
        choice = replace(choice, final_steps=again[0].length)
        if not is_stopped():
            chosen_by, data, text, fitted = data, whole, text_of_whole, again
            learned_from += ["valid"] if held_back is None else []
            score = score_with([one.head for one in fitted], data.matrix)
            with budget.counted():
                reviewers = Reviewers([one.head for one in fitted], data)
                score = reviewers.add(score, blend.reviewers) if blend.reviewers else score
                if text is not None and blend.text:
                    block = TextBlock(text(full.dim).mixed, data)
                    score = block.add(score, blend.text)
                if blend.recipe is not None:
                    links = links_of(blend.recipe, CommonHolders(data.held))
                    links = weighed(links, blend, score, data, chosen_by)
    has_stopped = is_stopped()
    report = {
        "tau": tau,
        "choice": choice.report()
        | {
            "edge_dropout": fitted[0].edge_dropout,
            "edge_dropout_trials": [
                {"edge_dropout": one.edge_dropout, **asdict(one.valid)}
                for one in best.rivals
                if one.valid
            ],
            "text_trials": [{"text": text, **asdict(seen)} for text, seen in best.of_text.items()],
        },
        "blend": asdict(blend) | {"trials": [asdict(trial) for trial in chosen.trials]},
        "budget": {"cpu_seconds": budget.seconds, "spent": round(budget.spent, 1)}
        | {"spent_until": {part: round(seconds, 1) for part, seconds in spent.items()}},
        "learned_from": learned_from,
        "stopped": has_stopped,
    }
    trained = Trained(
        epochs=round(
            max(one.steps for one in fitted) * full.batch_size(len(data.user)) / len(data.user), 2
        ),
        valid=valid,
        seconds=round(time.monotonic() - started, 2),
        cpu_seconds=round(budget.spent, 1),
        tau=tau,
        choice=choice,
        blend=blend,
        has_stopped=has_stopped,
    )
    metrics = {"valid": {"recall@20": valid.recall, "ndcg@20": valid.ndcg}}
    embeddings = embeddings_of(
        [one.head for one in fitted],
        data,
        snapshot,
        json.dumps(metrics),
        blend,
        links,
        block,
        reviewers,
    )
    report |= {
        "metrics": metrics,
        "history": [[asdict(look) for look in one.history] for one in fitted],
        "epochs": trained.epochs,
        "seconds": trained.seconds,
        "data": {
            "snapshot": snapshot.hash,
            "users": snapshot.num_users,
            "products": snapshot.num_products,
            "training_interactions": len(data.user),
        },
    }
    # Model and run.json belong together: without the second, the folder is half written.
    run.info.unlink(missing_ok=True)
    save_embeddings(embeddings, [one.head for one in fitted], run.model)
    write_json(run.info, {"config": asdict(config), **report, "versions": _versions()})
    if not has_stopped:
        checkpoints.clear()
    return trained


def read_embeddings(run: Run) -> Embeddings:
    """The embeddings of a finished training.

    Raises:
        NotReady: the run was not trained.
        RunBroken: training was cut off, or the file is damaged.
    """
    run.need_info()
    return load_embeddings(run.model)


def read_servable(run: Run) -> Embeddings:
    """The embeddings of a finished training, if they can be served from the graph.

    Raises:
        NotReady: the run was not trained.
        RunBroken: training was cut off, or the file is damaged.
        BadConfig: it has learned from interactions that do not count in the graph.
    """
    if "valid" in run.need_info().get("learned_from", ()):
        raise BadConfig(
            f"the run in {run.folder} has learned from interactions marked valid (--final), which "
            "do not count in the graph, so that no reason would add up; train without --final, or "
            "load them without a split"
        )
    return read_embeddings(run)


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` is the GPU when there is one.

    Raises:
        BadConfig: there is no such device here.
    """
    has_gpu = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if has_gpu else "cpu")
    if name.split(":")[0] not in ("cpu", "cuda"):
        raise BadConfig(f"--device is {name!r}; expected auto, cpu or cuda")
    if name.startswith("cuda") and not has_gpu:
        raise BadConfig(f"--device is {name}, but torch sees no GPU here; type: --device auto")
    return torch.device(name)


def _features(
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
        given=read_vectors(Path(config.vectors), snapshot) if config.vectors else None,
        progress=partial(progress, "reading texts"),
    )


def _hash_of(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("kinfolio", "torch", "torch-geometric")}
