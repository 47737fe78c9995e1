"""`kinfolio check-text`: claims of a text that no evidence supports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json


@click.command("check-text", epilog="Example:  kinfolio check-text p007 opal-daily-note letter.txt")
@click.argument("user", callback=options.normal_id)
@click.argument("product", callback=options.normal_id)
@click.argument("file", type=options.PATH)
@options.language_option
@options.at_most_option
@options.per_option
@options.rules_option
@options.mapping_option
@options.json_option
def command(
    user: str, product: str, file: Path, language: str, as_json: bool, **values: Any
) -> None:
    """Find claims in FILE, a text on PRODUCT for USER, that no evidence supports.

    The text cites evidence, like [1], by the numbers of `kinfolio explain --all-evidence`. A
    text of `explain --at-most N` is checked with the same options.
    """
    from kinfolio.llm_explain.checking.check import check_text, read_text
    from kinfolio.llm_explain.explain import explain

    caps = options.list_caps(values["at_most"], values["per"])  # Any: parsed by click
    text, clauses = read_text(file), options.deployment_clauses(language)
    with options.open_graph() as graph:
        clauses = clauses.with_rules(options.custom_rules(values["rules_folder"], graph))
        explanation = explain(graph, user, product, (), all_evidence=True, clauses=clauses)
        explanation = options.in_list(
            graph, explanation, caps, clauses, rules_folder=values["rules_folder"]
        )
    problems = check_text(text, explanation)
    if as_json:
        found = [{"text": problem.text, "reason": problem.reason} for problem in problems]
        print_json({"grounded": not problems, "problems": found})
    elif problems:
        for problem in problems:
            echo(problem.text or "(the whole text)", f"    {problem.reason}")
    else:
        echo("grounded: the cited evidence supports every claim")
