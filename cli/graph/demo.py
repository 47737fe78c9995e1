"""`kinfolio demo`: the whole road on a made-up community, ending with what to type next."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli.options import home, json_option, no_mapping_option, note, open_graph, print_json
from kinfolio.errors import NotReady

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.explanation import Explanation
    from kinfolio.records import Recommendations

_LIST = 5
"""Products in the list that is shown."""
_TOLD = 3
"""Products of it whose reasons are told."""


@click.command("demo", epilog="Example:  kinfolio demo")
@click.option("--user", help="Whose list to show.  [default: the one who holds most]")
@click.option("--model", help="Who writes: embedded, none or provider:name.  [default: embedded]")
@no_mapping_option
@json_option
def command(user: str | None, model: str | None, as_json: bool) -> None:
    """Walk the whole road on a made-up community of 600 people and 120 products.

    Files, graph, snapshot, model, embeddings in the graph, a list, and its reasons. Nothing is
    wiped: a graph that holds other data is refused.
    """
    from kinfolio.cli.progress import show_progress
    from kinfolio.gnn.evaluation.evaluate import evaluate
    from kinfolio.gnn.publishing.write_back import write_back
    from kinfolio.gnn.training.config import TrainConfig
    from kinfolio.gnn.training.train import read_embeddings, train
    from kinfolio.loaders import export, load, write_community
    from kinfolio.run import Run

    folder, run = home() / "demo" / "community", Run(home() / "demo" / "run")
    with open_graph() as graph:
        note(f"1. files: a made-up community in {folder}")
        write_community(folder)
        _refuse_strangers(graph, folder)
        with show_progress() as progress:
            report = load(graph, folder, progress=progress)
        note(
            f"2. graph: {report.users:,} people, {report.products:,} products, "
            f"{report.interactions:,} holdings, {report.ties:,} ties, {report.reviews:,} reviews"
        )
        with show_progress() as progress:
            export(graph, run.snapshot, progress=progress)
        note(f"3. snapshot: {run.snapshot}")
        with show_progress() as progress:
            train(
                run,
                TrainConfig(steps=300),
                cache=home() / "cache" / "texts.sqlite",
                progress=progress,
            )
        found = evaluate(run, has_baselines=True, note=note)
        figures = {name: groups["all"].recall for name, groups in found.models.items()}
        note(
            "4. model: recall@20 on held-out holdings:\n   "
            + ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        )
        with show_progress() as progress:
            stored = write_back(graph, read_embeddings(run), progress=progress)
        note(f"5. embeddings: version {stored.version} serves from slot {stored.slot}")
        chosen = user or _keenest(folder)
        answer, told = _list_with_reasons(graph, chosen, model)
    if as_json:
        from kinfolio.llm_explain.explain import as_document as explained

        content: dict[str, Any] = {  # Any: figures, ids and explanations side by side
            "user": chosen,
            "recall@20": figures,
            "products": [one.product for one in answer.products],
            "explanations": [explained(one) for one in told],
        }
        print_json(content)
        return
    _print(chosen, answer, told)


def _refuse_strangers(graph: Graph, folder: Path) -> None:
    from kinfolio.loaders import community_ids

    user_ids, product_ids = community_ids(folder)
    row = graph.read("demo_other_nodes", user_ids=user_ids, product_ids=product_ids)[0]
    if row["nodes"]:
        raise NotReady(
            f"the graph at {graph.server} holds {row['nodes']:,} people and products that are "
            "not of the demo, which does not mix with other data; "
            "type: KINFOLIO_HOME=/tmp/kinfolio-demo kinfolio demo"
        )


def _keenest(folder: Path) -> str:
    """The user with most holdings, by the files."""
    import csv
    from collections import Counter

    with (folder / "interactions.tsv").open(encoding="utf-8", newline="") as file:
        holders = Counter(row["user"] for row in csv.DictReader(file, delimiter="\t"))
    return max(sorted(holders), key=lambda user: holders[user])


def _list_with_reasons(
    graph: Graph, user: str, model: str | None
) -> tuple[Recommendations, list[Explanation]]:
    from kinfolio.gnn.serving.recommend import recommend
    from kinfolio.llm_explain.explain import explain
    from kinfolio.llm_explain.wording.writers import writers_for

    answer = recommend(graph, user, _LIST, note=note)
    writers = writers_for(model, home() / "models", note)
    told = [explain(graph, user, one.product, writers) for one in answer.products[:_TOLD]]
    return answer, told


def _print(user: str, answer: Recommendations, told: list[Explanation]) -> None:
    from kinfolio.cli.table import print_list

    click.echo(f"\nWhat {user} is most likely to want:")
    print_list(answer.products)
    for one in told:
        click.echo("\n" + textwrap.fill(one.text, 78))
    first, last = answer.products[0].product, answer.products[-1].product
    click.echo("\nWhat to type next:")
    if shutil.which("kinfolio") is None:
        click.echo("  source .venv/bin/activate        so that `kinfolio` is found")
    click.echo(f"  kinfolio explain {user} {last}")
    click.echo(f"  kinfolio why-not {user} {first}")
    click.echo(f"  kinfolio chat {user}               then: why the second?")
    click.echo("  kinfolio load FOLDER             your own data (in another KINFOLIO_HOME)")
    click.echo("  kinfolio db stop                 when you have seen enough")
