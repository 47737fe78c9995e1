"""Options and output that commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import click

from kinfolio.environment import deployment
from kinfolio.environment import given_connection as given_connection
from kinfolio.environment import home as home

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from kinfolio.cypher.graph import Graph
    from kinfolio.cypher.mapping.names import Mapping
    from kinfolio.gnn.serving.rules import Rule
    from kinfolio.llm_explain.wording.clauses import Clauses

_Function = TypeVar("_Function", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
run_option = click.option(
    "--run",
    "run_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/default"),
    show_default=True,
    help="Folder of the run.",
)
language_option = click.option(
    "--language",
    envvar="KINFOLIO_LANGUAGE",
    default="en",
    help="Language of the words: en or de.  [env: KINFOLIO_LANGUAGE; default: en]",
)
length_option = click.option(
    "--length",
    type=click.Choice(["short", "normal", "long"]),
    default="normal",
    show_default=True,
    help="short: the strongest reason; long: weights, what speaks against, and the remainder too.",
)


def clauses(language: str = "en") -> Clauses:
    """The clauses of a language under the settings of this deployment."""
    from kinfolio.llm_explain.wording.clauses import load_clauses

    return load_clauses(language).for_deployment(**asdict(deployment()))


def note(text: str) -> None:
    """Tell the user something that is not the answer."""
    click.echo(text, err=True)


def _keep_mapping(ctx: click.Context, _: click.Parameter, file: Path | None) -> None:
    # Also on a group, whose subcommands then need not be told again.
    if file is not None:
        ctx.meta[_MAPPING] = file


_MAPPING = "kinfolio.mapping"
rules_option = click.option(
    "--rules",
    "rules_folder",
    type=click.Path(path_type=Path),
    envvar="KINFOLIO_RULES",
    help="Folder of own rules: conditions in Cypher about u and p, one a `.cypher` file.  "
    "[env: KINFOLIO_RULES]",
)
mapping_option = click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="KINFOLIO_MAPPING",
    expose_value=False,
    callback=_keep_mapping,
    help="Names of a graph that is not kinfolio's own, as `kinfolio map init` writes them.  "
    "[env: KINFOLIO_MAPPING]",
)
"""For every command that opens the graph for reading: `open_graph` picks the file up."""


def _refuse_mapping(ctx: click.Context, _: click.Parameter, file: Path | None) -> None:
    if file is not None:
        from kinfolio.errors import BadConfig

        raise BadConfig(
            f"{ctx.info_name} writes the names of kinfolio's own model and cannot go with the "
            f"mapping {file}; leave --mapping out and unset KINFOLIO_MAPPING"
        )


no_mapping_option = click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="KINFOLIO_MAPPING",
    expose_value=False,
    callback=_refuse_mapping,
    hidden=True,
)
"""For commands that write the standard names: they refuse a mapping instead of ignoring it."""


def _given_mapping() -> Mapping | None:
    ctx = click.get_current_context(silent=True)
    file = None if ctx is None else ctx.meta.get(_MAPPING)
    if file is None:
        return None
    from kinfolio.cypher.mapping.names import read_mapping

    return read_mapping(file)


@contextmanager
def open_graph(mapping: Mapping | None = None) -> Iterator[Graph]:
    """The graph of the given server, or of kinfolio's own, started when it is not running.

    Args:
        mapping: its names; None takes those of `--mapping` where the command has that option.
    """
    from kinfolio.cypher.graph import Graph

    mapping = mapping or _given_mapping()
    connection = given_connection()
    if connection is None:
        from kinfolio.cypher.server.server import Server

        connection = Server(home()).start(progress=note)
    with Graph(connection, mapping) as graph:
        yield graph


def own_rules(folder: Path | None, graph: Graph) -> tuple[Rule, ...]:
    """The rules of `--rules`, none when it was not given."""
    if folder is None:
        return ()
    from kinfolio.gnn.serving.rules import read_rules

    return read_rules(graph, folder)


def print_json(answer: DataclassInstance | dict[str, Any]) -> None:
    """Print one JSON document on stdout."""
    content = asdict(answer) if is_dataclass(answer) else answer
    click.echo(json.dumps(content, ensure_ascii=False))


def options_from(config: type[DataclassInstance]) -> Callable[[_Function], _Function]:
    """Command-line options made from the fields of a config: name, type, default and help."""
    hints = get_type_hints(config)

    def decorate(function: _Function) -> _Function:
        for item in reversed(fields(config)):
            if item.default is MISSING:
                raise TypeError(f"{config.__name__}.{item.name} needs a default")
            flag = "--" + item.name.replace("_", "-")
            kind: Any = hints[item.name]
            choices = item.metadata.get("choices")
            decorator = click.option(
                f"{flag}/--no-{flag[2:]}" if kind is bool else flag,
                item.name,
                type=click.Choice(choices) if choices else None if kind is bool else kind,
                default=item.default,
                show_default=True,
                help=item.metadata["help"],
            )
            function = decorator(function)
        return function

    return decorate
