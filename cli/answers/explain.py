"""`kinfolio explain`: a score, explained with evidence from the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import spinner
from kinfolio.cli.table import print_paragraphs

if TYPE_CHECKING:
    from kinfolio.cypher.mapping.display_names import PathNames
    from kinfolio.llm_explain.explanation import Explanation


@click.command("explain", epilog="Example:  kinfolio explain p007 opal-daily-note --model none")
@click.argument("user", callback=options.normal_id)
@click.argument("product", callback=options.normal_id)
@options.model_option
@options.length_option
@options.language_option
@click.option("--all-evidence", is_flag=True, help="Print all evidence, with remainder 0.")
@options.at_most_option
@options.per_option
@options.rules_option
@options.mapping_option
@options.json_option
def command(
    user: str,
    product: str,
    model: str | None,
    language: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Explain the score of PRODUCT for USER with evidence from the graph.

    With --at-most the text also says if the cap of `kinfolio recommend USER --at-most N` moves the
    product or leaves it out; --rules are those of that list.
    """
    from kinfolio.llm_explain.explain import as_document, explain

    caps = options.list_caps(values["at_most"], values["per"])  # Any: parsed by click
    clauses = options.deployment_clauses(language)
    with spinner("loading the language model"):
        writers = options.writers(model)
    with options.open_graph() as graph, spinner("writing the explanation"):
        explanation = explain(
            graph,
            user,
            product,
            writers,
            clauses=clauses.with_rules(options.custom_rules(values["rules_folder"], graph)),
            all_evidence=values["all_evidence"],
            length=values["length"],
        )
        explanation = options.in_list(
            graph, explanation, caps, clauses, rules_folder=values["rules_folder"]
        )
    if as_json:
        print_json(as_document(explanation, graph.names))
    else:
        print_paragraphs(explanation.text)
        _print_evidence(explanation, graph.names)


def _print_evidence(explanation: Explanation, names: PathNames) -> None:
    from kinfolio.llm_explain.explain import format_path

    echo()
    for piece in explanation.evidence:
        path = format_path(piece.path, explanation.user, names)
        echo(f"[{piece.id}] {piece.share:+6.1%}  {piece.contribution:+8.3f}  {path}")
    echo(f"rest       {explanation.remainder:+8.3f}", f"score      {explanation.score:+8.3f}")
    print_message(f"version: {explanation.version}, written by: {explanation.writer}")
