"""`kinfolio explain`: why a product has its score."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
)

if TYPE_CHECKING:
    from kinfolio.cypher.mapping.display_names import PathNames
    from kinfolio.llm_explain.explanation import Explanation
    from kinfolio.llm_explain.wording.plan import Length


@click.command("explain", epilog="Example:  kinfolio explain u00042 p00007 --model none")
@click.argument("user")
@click.argument("product")
@click.option(
    "--model",
    help="Who writes: embedded, none, or provider:name of a LangChain chat model. "
    "[default: embedded when its weights are installed, else none]",
)
@length_option
@language_option
@click.option("--all-evidence", is_flag=True, help="Give every piece, so that nothing remains.")
@mapping_option
@json_option
def command(
    user: str,
    product: str,
    model: str | None,
    length: Length,
    language: str,
    all_evidence: bool,
    as_json: bool,
) -> None:
    """Say why PRODUCT has its score for USER, in words that the graph can prove."""
    from kinfolio.llm_explain.explain import as_document, explain
    from kinfolio.llm_explain.wording.writers import writers_for

    writers = writers_for(model, home() / "models", tell=note)
    with open_graph() as graph:
        found = explain(
            graph,
            user,
            product,
            writers,
            all_evidence=all_evidence,
            clauses=clauses(language),
            length=length,
        )
    if as_json:
        print_json(as_document(found, graph.names))
    else:
        click.echo(found.text)
        _print_evidence(found, graph.names)


def _print_evidence(found: Explanation, names: PathNames) -> None:
    from kinfolio.llm_explain.explain import path_in_words

    click.echo()
    for piece in found.evidence:
        path = path_in_words(piece.path, found.user, names)
        click.echo(f"[{piece.id}] {piece.share:+6.1%}  {piece.contribution:+8.3f}  {path}")
    rest, score = f"{found.remainder:+8.3f}", f"{found.score:+8.3f}"
    click.echo(f"rest       {rest}\nscore      {score}")
    note(f"version: {found.version}, written by: {found.writer}")
