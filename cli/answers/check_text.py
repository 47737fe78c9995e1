"""`kinfolio check-text`: which claims of a text no evidence carries."""

from __future__ import annotations

from pathlib import Path

import click

from kinfolio.cli.options import (
    clauses,
    json_option,
    language_option,
    mapping_option,
    open_graph,
    print_json,
)


@click.command("check-text", epilog="Example:  kinfolio check-text u00042 p00007 letter.txt")
@click.argument("user")
@click.argument("product")
@click.argument("file", type=click.Path(path_type=Path))
@language_option
@mapping_option
@json_option
def command(user: str, product: str, file: Path, language: str, as_json: bool) -> None:
    """Find claims in FILE, a text on why PRODUCT suits USER, that no evidence carries.

    The text cites evidence as `kinfolio explain USER PRODUCT --all-evidence` numbers it, like [1].
    """
    from kinfolio.llm_explain.checking.check import check_text, read_text
    from kinfolio.llm_explain.explain import explain

    text, said = read_text(file), clauses(language)
    with open_graph() as graph:
        explanation = explain(graph, user, product, (), all_evidence=True, clauses=said)
    problems = check_text(text, explanation)
    if as_json:
        found = [{"text": problem.text, "reason": problem.reason} for problem in problems]
        print_json({"grounded": not problems, "problems": found})
    elif problems:
        for problem in problems:
            click.echo(f"{problem.text or '(the whole text)'}\n    {problem.reason}")
    else:
        click.echo("grounded: every claim stands in the evidence it cites")
