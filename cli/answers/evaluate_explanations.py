"""`kinfolio evaluate-explanations`: faithfulness and readability of explanations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json
from kinfolio.cli.progress import report_each, show_progress
from kinfolio.cli.table import print_table

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.wording.plan import Length
    from kinfolio.records import Progress
    from kinfolio.storage.run_info import RunInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    pairs: int
    model: str
    length: Length
    language: str
    seed: int
    references: Path | None


@click.command(
    "evaluate-explanations",
    epilog="Example:  kinfolio evaluate-explanations --run runs/default --pairs 20",
)
@options.run_option
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="Number of explanations.",
)
@click.option("--model", default="none", show_default=True, help="Writer, as for `explain`.")
@options.length_option
@options.language_option
@click.option(
    "--seed", default=0, show_default=True, help="Seed of the sample and of random evidence."
)
@click.option(
    "--references",
    type=options.FILE,
    help="A tsv file with columns user, product, explanation to compare with, by the cosine of "
    "MiniLM embeddings.",
)
@options.mapping_option
@options.json_option
def command(run_folder: Path, as_json: bool, **values: Any) -> None:
    """Explain recommendations of random users and evaluate the explanations.

    Grounded: the cited evidence contains all names and numbers, its paths exist, and no other user
    is named; the check shares no code with the writers. Deletion: the score is recomputed without
    the cited evidence, and without the same amount of random evidence. The result is also written
    to RUN/explanations.json.
    """
    from kinfolio.llm_explain.evaluation.pairs import read_references
    from kinfolio.run import Run, write_json

    run, config = Run(run_folder), _Config(**values)
    info = run.need_info()
    references = read_references(config.references) if config.references else None
    with options.open_graph() as graph, show_progress("reading recommendations") as progress:
        version = _need_served(graph, info, run_folder)
        answer = {"version": version, **_evaluate(graph, config, references, progress)}
    write_json(run.folder / "explanations.json", answer)
    if as_json:
        print_json(answer)
    else:
        _print(answer)


def _evaluate(
    graph: Graph, config: _Config, references: dict[tuple[str, str], str] | None, progress: Progress
) -> dict[str, Any]:
    from kinfolio.llm_explain.evaluation.measure import Measurement, reference_similarity
    from kinfolio.llm_explain.evaluation.pairs import recommended_pairs, scored_pairs

    if references:
        pairs = scored_pairs(graph, references, config.pairs)
    else:
        pairs = recommended_pairs(graph, config.pairs, config.seed)
    clauses = options.deployment_clauses(config.language)
    measured = Measurement(
        graph, options.writers(config.model), config.seed, clauses, config.length
    )
    for user, product, score in report_each(pairs, "explaining", progress):
        measured.add(user, product, score)
    answer = measured.summary()
    if references:
        from kinfolio.gnn.text.encoder import load_encoder

        progress("comparing with the references", 0, 0)
        texts = [references[user, product] for user, product, _ in pairs]
        answer["references"] = {
            "measure": "cosine of MiniLM sentence embeddings",
            **reference_similarity(measured.texts, texts, load_encoder(), config.seed),
        }
    return answer


def _need_served(graph: Graph, info: RunInfo, folder: Path) -> str:
    """Return the name of the active version, which must be of the run's model."""
    from kinfolio.errors import NotReady, shell_command
    from kinfolio.gnn.publishing.versions import list_versions

    active = [version for version in list_versions(graph) if version.state == "active"]
    if not active:
        raise NotReady(
            "the graph has no embeddings yet, so there is nothing to explain; "
            f"type: {shell_command('writeback', '--run', folder)}"
        )
    if active[0].snapshot != info["data"]["snapshot"]:
        raise NotReady(
            f"the graph serves {active[0].name}, which was not trained on the data of {folder}; "
            f"type: {shell_command('writeback', '--run', folder)}"
        )
    return active[0].name


def _print(answer: dict[str, Any]) -> None:
    rows: list[list[str]] = []
    metrics = {key: value for key, value in answer.items() if key not in ("faults", "examples")}
    for key, value in metrics.items():
        for name, metric in value.items() if isinstance(value, dict) else (("", value),):
            if isinstance(metric, dict):
                metric = ", ".join(f"{part} {_short(number)}" for part, number in metric.items())
            rows.append([f"{key} {name}".strip().replace("_", " "), _short(metric)])
    print_table(["metric", "value"], rows)
    for fault in answer["faults"]:
        echo(fault)


def _short(metric: object) -> str:
    return f"{metric:.4g}" if isinstance(metric, float) else str(metric)
