"""`kinfolio recommend` and `kinfolio similar`: ranked lists of products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinfolio.cli import options
from kinfolio.cli.output import echo, print_json, print_message
from kinfolio.cli.progress import show_progress
from kinfolio.cli.table import make_spreadsheet_safe, print_list

if TYPE_CHECKING:
    from kinfolio.gnn.serving.caps.caps import CappedRecommendations, ListCaps

_NAMED = 10
"""Products that a note names."""


@click.command("recommend", epilog="Example:  kinfolio recommend p007 -k 5")
@click.argument("user", callback=options.normal_id, required=False)
@options.k_option
@click.option("--all", "for_all", is_flag=True, help="Write the lists of all users to a file.")
@click.option(
    "--out", type=options.FILE, help="File for --all, tab-separated: user, rank, product, score."
)
@click.option(
    "--materialise",
    is_flag=True,
    help="With --all: also write the lists to the graph, as RECOMMENDED relationships.",
)
@click.option(
    "--spreadsheet-safe",
    is_flag=True,
    help="With --out: begin cells with ' that a spreadsheet would run as a formula (= + - @).",
)
@options.at_most_option
@options.per_option
@options.rules_option
@options.mapping_option
@options.json_option
def command(
    user: str | None, k: int, for_all: bool, rules_folder: Path | None, as_json: bool, **values: Any
) -> None:
    """List the products that USER is most likely to want, best first.

    Products that are held, dismissed, closed, not sold in the user's country or above the user's
    risk tolerance are excluded, and those that a rule of --rules forbids; `kinfolio why-not USER
    PRODUCT` names the rule.
    """
    caps = options.list_caps(values.pop("at_most"), values.pop("per"))
    lists = _Lists(**values)  # Any: parsed by click
    out, materialise = lists.out, lists.materialise
    if lists.spreadsheet_safe and out is None:
        raise click.UsageError("--spreadsheet-safe changes the file of --all --out FILE; give one")
    if for_all:
        if user is not None or (out is None and not materialise):
            raise click.UsageError(
                "--all writes the lists of all users: give --out FILE or --materialise, no USER"
            )
        _recommend_all(lists, k, caps, rules_folder, as_json)
    elif user is None or out is not None or materialise:
        raise click.UsageError("give a USER, or --all --out FILE for the lists of all users")
    else:
        _recommend(user, k, rules_folder, as_json, caps)


def _recommend(
    user: str, k: int, rules_folder: Path | None, as_json: bool, caps: ListCaps | None
) -> None:
    from kinfolio.gnn.serving.caps.caps import recommend_capped
    from kinfolio.gnn.serving.recommend import recommend

    with options.open_graph() as graph:
        rules = options.custom_rules(rules_folder, graph)
        if caps is None:
            answer = recommend(graph, user, k, rules=rules, warn=print_message)
        else:
            answer = capped = recommend_capped(
                graph, user, k, caps, rules=rules, warn=print_message
            )
            _print_changes(capped)
    if as_json:
        print_json(answer)
    else:
        print_list(answer.products)
        print_message(f"version: {answer.version or 'none'}, source: {answer.source}")


def _print_changes(found: CappedRecommendations) -> None:
    """Tell what the cap changed, on stderr."""
    if not found.left_out:
        return
    out = ", ".join(f"{one.product} (rank {one.rank})" for one in found.left_out[:_NAMED])
    out += ", ..." if len(found.left_out) > _NAMED else ""
    note = f"left out, as {found.at_most} of the same {found.per} are in the list: {out}"
    if added := [one for one in found.moved if one.is_added]:
        names = ", ".join(f"{one.product} (rank {one.rank_without})" for one in added[:_NAMED])
        note += f"; in the list instead: {names}{', ...' if len(added) > _NAMED else ''}"
    print_message(note)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    out: Path | None
    materialise: bool
    spreadsheet_safe: bool

    @contextmanager
    def file(self) -> Iterator[Path | None]:
        """Yield the file to write, converted before it is in place with `spreadsheet_safe`."""
        if self.out is None or not self.spreadsheet_safe:
            yield self.out
            return
        from kinfolio.run import whole_file

        with whole_file(self.out) as temporary:
            yield temporary
            make_spreadsheet_safe(temporary)


def _recommend_all(
    lists: _Lists, k: int, caps: ListCaps | None, rules_folder: Path | None, as_json: bool
) -> None:
    from kinfolio.gnn.serving.caps.all_lists import all_lists

    out, materialise = lists.out, lists.materialise
    with (
        options.open_graph() as graph,
        show_progress("reading the products") as progress,
        lists.file() as file,
    ):
        rules = options.custom_rules(rules_folder, graph)
        users = all_lists(graph, k, caps, rules=rules, warn=print_message).write(
            file, materialise=materialise, progress=progress
        )
    if as_json:
        answer = {"file": None if out is None else str(out), "users": users, "k": k}
        print_json({**answer, "materialised": True} if materialise else answer)
        return
    places = [str(out)] if out is not None else []
    places += ["the graph, as RECOMMENDED"] if materialise else []
    echo(f"the lists of {users:,} users are in {' and in '.join(places)}")


@click.command("similar", epilog="Example:  kinfolio similar opal-daily-note -k 5")
@click.argument("product", callback=options.normal_id)
@options.k_option
@options.mapping_option
@options.json_option
def similar_command(product: str, k: int, as_json: bool) -> None:
    """List the open products most similar to PRODUCT, best first.

    The score is the cosine of the two embeddings; popularity does not count.
    """
    from kinfolio.gnn.serving.similar import similar_products

    with options.open_graph() as graph:
        similar = similar_products(graph, product, k, warn=print_message)
    if as_json:
        print_json(similar)
    else:
        print_list(similar.products)
        print_message(f"version: {similar.version}")
