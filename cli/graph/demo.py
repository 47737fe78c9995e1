"""`kinfolio demo`: all steps on a generated community."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress, spinner
from kinfolio.cli.table import print_list
from kinfolio.environment import home
from kinfolio.errors import NotReady, if_interrupted, shell_command

if TYPE_CHECKING:
    from kinfolio.cypher.graph import Graph
    from kinfolio.llm_explain.explanation import Explanation
    from kinfolio.records import Recommendations
    from kinfolio.run import Run

_LIST = 5
"""Products in the printed list."""
_EXPLAINED = 3
"""Products of the list that are explained."""


@click.command("demo", epilog="Example:  kinfolio demo")
@click.option("--user", help="User of the list.  [default: the one with most holdings]")
@options.model_option
@options.no_mapping_option
@options.json_option
def command(user: str | None, model: str | None, as_json: bool) -> None:
    """Run all steps on a generated community of 600 users and 120 products.

    The steps: files, graph, snapshot, model, write-back, recommendations and explanations. Nothing
    is deleted: a graph with other data is refused.
    """
    from kinfolio.run import Run

    folder, run = home() / "demo" / "community", Run(home() / "demo" / "run")
    with (
        if_interrupted("the steps before stay; to resume, type the same command"),
        options.open_graph() as graph,
    ):
        _load(graph, folder)
        recall = _train(graph, run)
        user = user or _most_active(folder)
        recommended, explanations = _recommend(graph, user, model)
    if as_json:
        from kinfolio.llm_explain.explain import as_document

        print_json(
            {
                "user": user,
                "recall@20": recall,
                "products": [one.product for one in recommended.products],
                "explanations": [as_document(one) for one in explanations],
            }
        )
    else:
        _print(user, recommended, explanations)


def _load(graph: Graph, folder: Path) -> None:
    from kinfolio.loaders import load, write_community

    with spinner("generating the files"):
        write_community(folder)
        _refuse_other_data(graph, folder)
    print_message(f"1. files: a generated community in {folder}")
    with show_progress("reading the files") as progress:
        report = load(graph, folder, progress=progress)
    print_message(
        f"2. graph: {report.users:,} users, {report.products:,} products, "
        f"{report.interactions:,} holdings, {report.ties:,} ties, {report.reviews:,} reviews"
    )


def _refuse_other_data(graph: Graph, folder: Path) -> None:
    from kinfolio.loaders import community_ids

    user_ids, product_ids = community_ids(folder)
    row = graph.read("demo_other_nodes", user_ids=user_ids, product_ids=product_ids)[0]
    if row["nodes"]:
        raise NotReady(
            f"the graph at {graph.server} holds {row['nodes']:,} users and products that are "
            "not part of the demo, which needs a graph of its own; "
            "type: KINFOLIO_HOME=/tmp/kinfolio-demo kinfolio demo"
        )


def _train(graph: Graph, run: Run) -> dict[str, float]:
    """Export, train, evaluate and write back; return recall@20 by model.

    Raises:
        NotReady: the version awaits approval, so that nothing can be recommended yet.
    """
    with show_progress("loading PyTorch") as progress:
        from kinfolio.gnn.evaluation.evaluate import evaluate
        from kinfolio.gnn.publishing.write_back import write_back
        from kinfolio.gnn.training.config import TrainConfig
        from kinfolio.gnn.training.train import read_embeddings, train
        from kinfolio.loaders import export

        export(graph, run.snapshot, progress=progress)
    print_message(f"3. snapshot: {run.snapshot}")
    with show_progress("preparing the training data") as progress:
        train(run, TrainConfig(steps=300), cache=options.text_cache(), progress=progress)
    with show_progress("evaluating") as progress:
        evaluation = evaluate(run, compare="baselines", warn=print_message, progress=progress)
    recall = {name: groups["all"].recall for name, groups in evaluation.models.items()}
    print_message(
        "4. model: recall@20 on held-out holdings:\n   "
        + ", ".join(f"{name} {value:.3f}" for name, value in recall.items())
    )
    with show_progress("comparing the graph with the run") as progress:
        stored = write_back(graph, read_embeddings(run), progress=progress, run=run)
    if stored.state != "active":
        approve = shell_command("versions", "approve", stored.version)
        raise NotReady(f"version {stored.version} awaits approval; somebody else types: {approve}")
    print_message(f"5. embeddings: version {stored.version} serves from slot {stored.slot}")
    return recall


def _most_active(folder: Path) -> str:
    """Return the user with the most holdings in the files."""
    import csv
    from collections import Counter

    with (folder / "interactions.tsv").open(encoding="utf-8", newline="") as file:
        holdings = Counter(row["user"] for row in csv.DictReader(file, delimiter="\t"))
    return max(sorted(holdings), key=lambda user: holdings[user])


def _recommend(
    graph: Graph, user: str, model: str | None
) -> tuple[Recommendations, list[Explanation]]:
    from kinfolio.gnn.serving.recommend import recommend
    from kinfolio.llm_explain.explain import explain

    with spinner("writing explanations"):
        recommended = recommend(graph, user, _LIST, warn=print_message)
        writers = options.writers(model)
        products = [one.product for one in recommended.products[:_EXPLAINED]]
        return recommended, [explain(graph, user, product, writers) for product in products]


def _print(user: str, recommended: Recommendations, explanations: list[Explanation]) -> None:
    echo("", f"What {user} is most likely to want:")
    print_list(recommended.products)
    for explanation in explanations:
        echo("", *textwrap.wrap(explanation.text, 78))
    first, last = recommended.products[0].product, recommended.products[-1].product
    activate = "  source .venv/bin/activate        so that `kinfolio` is found"
    echo(
        "",
        "What to type next:",
        *([] if shutil.which("kinfolio") else [activate]),
        f"  kinfolio explain {user} {last}",
        f"  kinfolio why-not {user} {first}",
        f"  kinfolio chat {user}               then: what do you recommend?",
        "  kinfolio serve                   then open the address that it prints",
        "  kinfolio load FOLDER             your own data (in another KINFOLIO_HOME)",
        "  kinfolio db stop                 to stop the database server",
    )
