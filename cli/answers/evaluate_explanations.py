"""`kinfolio evaluate-explanations`: whether explanations hold, and how they read."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli.options import (
    clauses,
    home,
    json_option,
    language_option,
    length_option,
    mapping_option,
    note,
    open_graph,
    print_json,
    run_option,
)

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.wording.plan import Length

_OF_A_USER = 5
"""At most so many products of one list, so that many users are looked at."""
_COLUMNS = ("user", "product", "explanation")


@click.command(
    "evaluate-explanations",
    epilog="Example:  kinfolio evaluate-explanations --run runs/default --pairs 200",
)
@run_option
@click.option(
    "--pairs", type=click.IntRange(min=1), default=200, show_default=True, help="How many."
)
@click.option("--model", default="none", show_default=True, help="Who writes, as in `explain`.")
@length_option
@language_option
@click.option("--seed", default=0, show_default=True, help="Of users and of random evidence.")
@click.option(
    "--references",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A tsv file with the columns user, product, explanation, to be compared with: cosines of "
    "embeddings by the embedded encoder (MiniLM).",
)
@mapping_option
@json_option
def command(
    run_folder: Path,
    pairs: int,
    model: str,
    length: Length,
    language: str,
    seed: int,
    references: Path | None,
    as_json: bool,
) -> None:
    """Explain recommendations of random users and take the explanations apart.

    Grounded: names and numbers stand in the cited evidence, paths exist, nobody is named, by code
    that the writers do not share. Deletion: the score is made again without the named evidence, and
    without as much other evidence of the user. The figures are kept in RUN/explanations.json.
    """
    from kinfolio.llm_explain.evaluation.measure import likeness, measure, summary
    from kinfolio.llm_explain.wording.writers import writers_for
    from kinfolio.run import Run, write_json

    run = Run(run_folder)
    info = run.need_info()
    known = _read_references(references) if references else None
    writers = writers_for(model, home() / "models", tell=note)
    with open_graph() as graph:
        version = _need_served(graph, info, run_folder)
        drawn = _of(graph, known, pairs) if known else _recommended(graph, pairs, seed)
        wanted = list(drawn)
        found = measure(graph, wanted, writers, seed, clauses(language), length)
    answer = {"version": version, **summary(found)}
    if known is not None:
        from kinfolio.gnn.text.encoder import load_encoder

        texts = [known[user, product] for user, product, _ in wanted]
        answer["references"] = {
            "measure": "cosine of MiniLM sentence embeddings",
            **likeness(found.texts, texts, load_encoder(), seed),
        }
    write_json(run.folder / "explanations.json", answer)
    if as_json:
        print_json(answer)
    else:
        _print(answer)


def _need_served(graph: Graph, info: dict[str, Any], folder: Path) -> str:
    """Name of the active version, which must be of the run's model."""
    from kinfolio.errors import NotReady
    from kinfolio.gnn.publishing.versions import list_versions

    active = [version for version in list_versions(graph) if version.state == "active"]
    if not active:
        raise NotReady(
            "the graph has no embeddings yet, so there is nothing to explain; "
            f"type: kinfolio writeback --run {folder}"
        )
    if active[0].snapshot != info["data"]["snapshot"]:
        raise NotReady(
            f"the graph serves {active[0].name}, which was not trained on the data of {folder}; "
            f"type: kinfolio writeback --run {folder}"
        )
    return active[0].name


def _recommended(graph: Graph, pairs: int, seed: int) -> Iterator[tuple[str, str, float]]:
    from kinfolio.gnn.serving.recommend import recommend

    users = [row["id"] for row in graph.read("explain_users")]
    random.Random(seed).shuffle(users)
    of_a_user = max(1, min(_OF_A_USER, pairs // 40))
    found = 0
    for user in users:
        for line in recommend(graph, user, of_a_user).products:
            if found == pairs:
                return
            found += 1
            yield user, line.product, line.score


def _of(
    graph: Graph, known: dict[tuple[str, str], str], pairs: int
) -> Iterator[tuple[str, str, float]]:
    """The pairs of the references that have a score."""
    from kinfolio.errors import NotFound
    from kinfolio.gnn.serving.recommend import score_of

    found = 0
    for user, product in known:
        if found == pairs:
            return
        try:
            score = score_of(graph, user, product)
        except NotFound:
            continue
        if score is not None:
            found += 1
            yield user, product, score


def _read_references(file: Path) -> dict[tuple[str, str], str]:
    from kinfolio.errors import BadInput, NotFound

    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            if missing := set(_COLUMNS) - set(rows.fieldnames or ()):
                raise BadInput(
                    f"{file} lacks the columns {', '.join(sorted(missing))}; "
                    f"give tab-separated {', '.join(_COLUMNS)} with a header"
                )
            known = {
                (row["user"], row["product"]): row["explanation"]
                for row in rows
                if row["user"] and row["product"] and row["explanation"]
            }
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}; give a tsv file of references") from error
    except (UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{file} cannot be read as text in UTF-8; give a tsv file") from error
    if not known:
        raise BadInput(f"{file} has no reference; give at least one row below the header")
    return known


def _print(answer: dict[str, Any]) -> None:
    from kinfolio.cli.table import print_table

    rows: list[list[str]] = []
    for key, value in answer.items():
        if key in ("faults", "examples"):
            continue
        for name, figure in value.items() if isinstance(value, dict) else (("", value),):
            shown = figure
            if isinstance(figure, dict):
                shown = ", ".join(f"{part} {_short(one)}" for part, one in figure.items())
            rows.append([f"{key} {name}".strip().replace("_", " "), _short(shown)])
    print_table(["what", "figure"], rows)
    for fault in answer["faults"]:
        click.echo(fault)


def _short(figure: object) -> str:
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)
