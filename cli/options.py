"""Shared options of the commands and the objects that they configure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_type_hints

import click

from kinfolio.cli.output import print_message
from kinfolio.cli.progress import spinner
from kinfolio.environment import configured_connection, deployment, home, timeout
from kinfolio.ids import normalized_id

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from kinfolio.cypher.graph import Graph
    from kinfolio.cypher.mapping.names import Mapping
    from kinfolio.gnn.serving.caps.caps import ListCaps
    from kinfolio.gnn.serving.rules import Rule
    from kinfolio.llm_explain.explanation import Explanation
    from kinfolio.llm_explain.wording.clauses import Clauses
    from kinfolio.llm_explain.wording.writers import Writer
    from kinfolio.records import Connection

_Function = TypeVar("_Function", bound=Callable[..., Any])
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
PATH = click.Path(path_type=Path)
_MAPPING = "kinfolio.mapping"
_JSON = "kinfolio.json"
_TIMEOUT = "kinfolio.timeout"
_LANGUAGE = "kinfolio.language"


def normal_id(ctx: click.Context, _: click.Parameter, id: str | None) -> str | None:
    """Return an id in its normal form, as `load` stores it; of a graph with a mapping as it is."""
    return id if id is None or _MAPPING in ctx.meta else normalized_id(id)


def _store_json(ctx: click.Context, _: click.Parameter, is_set: bool) -> bool:
    # `ctx.meta` is shared with subcommands: `versions --json list` prints JSON.
    ctx.meta[_JSON] = is_set or ctx.meta.get(_JSON, False)
    return bool(ctx.meta[_JSON])


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_store_json, help="Print one JSON document."
)
run_option = click.option(
    "--run",
    "run_folder",
    type=FOLDER,
    default=Path("runs/default"),
    show_default=True,
    help="Folder of the run.",
)
k_option = click.option(
    "-k", "k", type=int, default=10, show_default=True, help="Number of products in a list."
)
model_option = click.option(
    "--model",
    help="Writer of explanations: embedded, none, or provider:name of a LangChain chat model. "
    "[default: embedded when its weights are installed, else none]",
)
language_option = click.option(
    "--language",
    envvar="KINFOLIO_LANGUAGE",
    default="en",
    help="Language of explanations: en or de.  [env: KINFOLIO_LANGUAGE; default: en]",
)


def _store_language(ctx: click.Context, _: click.Parameter, language: str) -> None:
    ctx.meta[_LANGUAGE] = language


chat_language_option = click.option(
    "--language",
    envvar="KINFOLIO_LANGUAGE",
    default="en",
    expose_value=False,
    callback=_store_language,
    help="Language of the first answers: en or de; later ones have the language of the lines.  "
    "[env: KINFOLIO_LANGUAGE; default: en]",
)
"""For conversations; applied by `deployment_clauses`."""
length_option = click.option(
    "--length",
    type=click.Choice(["short", "normal", "long"]),
    default="normal",
    show_default=True,
    help="short: the strongest reason; long: also shares, counter-evidence and the remainder.",
)
rules_option = click.option(
    "--rules",
    "rules_folder",
    type=PATH,
    envvar="KINFOLIO_RULES",
    help="Folder of custom rules: conditions in Cypher on u and p, one per `.cypher` file.  "
    "[env: KINFOLIO_RULES]",
)
at_most_option = click.option(
    "--at-most", type=int, help="At most so many products of each kind (or category) in the list."
)
per_option = click.option(
    "--per", type=click.Choice(["kind", "category"]), help="Group of --at-most.  [default: kind]"
)


def list_caps(at_most: int | None, per: Literal["kind", "category"] | None) -> ListCaps | None:
    """Return the cap of --at-most and --per; None without one."""
    if at_most is None:
        if per is not None:
            raise click.UsageError("--per is the group of --at-most N; give that too")
        return None
    from kinfolio.gnn.serving.caps.caps import ListCaps

    return ListCaps(at_most=at_most, per=per or "kind")


def _store_mapping(ctx: click.Context, _: click.Parameter, file: Path | None) -> None:
    # `ctx.meta` is shared with subcommands.
    if file is not None:
        ctx.meta[_MAPPING] = file


def _refuse_mapping(ctx: click.Context, _: click.Parameter, file: Path | None) -> None:
    if file is not None:
        from kinfolio.errors import BadConfig

        raise BadConfig(
            f"{ctx.info_name} writes the names of kinfolio's own model and does not work with the "
            f"mapping {file}; omit --mapping and unset KINFOLIO_MAPPING"
        )


def _store_timeout(ctx: click.Context, _: click.Parameter, given: str | None) -> None:
    if given is not None:
        ctx.meta[_TIMEOUT] = timeout(given)


timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    expose_value=False,
    callback=_store_timeout,
    help="Longest wait for the database's first answer, and for a sign of life later.  "
    "[env: KINFOLIO_TIMEOUT; default: 30]",
)
"""For commands that reach the database without `mapping_option`, which includes it."""


def _mapping_option(callback: Callable[..., None], *, hidden: bool) -> Callable[..., Any]:
    option = click.option(
        "--mapping",
        type=FILE,
        envvar="KINFOLIO_MAPPING",
        expose_value=False,
        callback=callback,
        is_eager=True,  # before the ids, which depend on it
        hidden=hidden,
        help="Mapping file of a graph with other names, as written by `kinfolio map init`.  "
        "[env: KINFOLIO_MAPPING]",
    )
    return lambda function: option(timeout_option(function))


mapping_option = _mapping_option(_store_mapping, hidden=False)
"""For commands that read the graph; applied by `open_graph`."""
no_mapping_option = _mapping_option(_refuse_mapping, hidden=True)
"""For commands that write the standard names; a mapping is an error."""


def text_cache() -> Path:
    """Return the path of the text embedding cache, shared by all runs."""
    return home() / "cache" / "texts.sqlite"


def deployment_clauses(language: str | None = None) -> Clauses:
    """Load the clauses of a language with the settings of this deployment.

    `language` defaults to that of `chat_language_option`, if the command has it, or else English.
    """
    from kinfolio.llm_explain.wording.clauses import load_clauses

    ctx = click.get_current_context(silent=True)
    chosen = "en" if ctx is None else str(ctx.meta.get(_LANGUAGE, "en"))
    return load_clauses(language or chosen).for_deployment(**asdict(deployment()))


def writers(model: str | None) -> tuple[Writer, ...]:
    """Return the writers of explanations for `--model`, in order of preference."""
    from kinfolio.llm_explain.wording.writers import writers_for

    return writers_for(model, home() / "models", notify=print_message)


def seconds_to_wait() -> float:
    """Return the seconds of `--timeout`, or those of the environment."""
    ctx = click.get_current_context(silent=True)
    given = None if ctx is None else ctx.meta.get(_TIMEOUT)
    return timeout() if given is None else float(given)


def external_connection() -> Connection | None:
    """Return the server in `NEO4J_URI`, with the time-out of `--timeout`."""
    found = configured_connection()
    return None if found is None else replace(found, timeout=seconds_to_wait())


@contextmanager
def open_graph(mapping: Mapping | None = None) -> Iterator[Graph]:
    """Open the graph of `NEO4J_URI`, or of the managed server, which is started if necessary.

    `mapping` defaults to that of `--mapping`.
    """
    with spinner("opening the graph"):
        from kinfolio.cypher.graph import Graph

        ctx = click.get_current_context(silent=True)
        if mapping is None and ctx is not None and _MAPPING in ctx.meta:
            from kinfolio.cypher.mapping.names import read_mapping

            mapping = read_mapping(ctx.meta[_MAPPING])
        connection = external_connection()
        if connection is None:
            from kinfolio.cypher.server.server import Server

            started = Server(home()).start(print_message)
            connection = replace(started, timeout=seconds_to_wait())
    with Graph(connection, mapping) as graph:
        yield graph


def custom_rules(folder: Path | None, graph: Graph) -> tuple[Rule, ...]:
    """Read the rules of `--rules`; empty without the option."""
    if folder is None:
        return ()
    from kinfolio.gnn.serving.rules import read_rules

    return read_rules(graph, folder)


def in_list(
    graph: Graph,
    explanation: Explanation,
    caps: ListCaps | None,
    clauses: Clauses,
    *,
    rules_folder: Path | None,
) -> Explanation:
    """Return an explanation with what a cap of lists does to its product; unchanged without one."""
    if caps is None:
        return explanation
    from kinfolio.llm_explain.in_list import explain_in_list

    rules = custom_rules(rules_folder, graph)
    return explain_in_list(graph, explanation, caps, clauses, rules=rules)


def options_from(config: type[DataclassInstance]) -> Callable[[_Function], _Function]:
    """Add an option for each field of a config: name, type, default, help and choices."""
    hints = get_type_hints(config)

    def decorate(function: _Function) -> _Function:
        for item in reversed(fields(config)):
            if item.default is MISSING:
                raise TypeError(f"{config.__name__}.{item.name} has no default")
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
