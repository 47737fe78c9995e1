"""Building blocks of the report page: layout, tables, lists, figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files


def page(title: str, body: Iterable[str]) -> str:
    """Return a self-contained page."""
    style = files("kinfolio.gnn.reporting").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int = 0,
    best: Iterable[int] = (),
) -> str:
    """Return a table that scrolls sideways if needed; the row of `kinfolio` is highlighted.

    The last `numbers` columns are right-aligned; in the columns `best` the highest value is marked.
    """
    first = len(columns) - numbers
    highest = {column: max((row[column] for row in rows), key=float) for column in best if rows}

    def line(tag: str, cells: Sequence[str], *, is_ours: bool = False) -> str:
        found = []
        for column, cell in enumerate(cells):
            shown = escape(cell)
            if tag == "td" and cell == highest.get(column):
                shown = f"<b>{shown}</b>"
            found.append(f"<{tag}{' class=n' if column >= first else ''}>{shown}</{tag}>")
        return f"<tr{' class=ours' if is_ours else ''}>{''.join(found)}</tr>"

    body = "".join(line("td", row, is_ours=row[0] == "kinfolio") for row in rows)
    head = line("th", columns)
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def numbers_list(values: dict[str, str]) -> str:
    """Return names and values as a grid."""
    pairs = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in values.items())
    return f"<dl>{''.join(pairs)}</dl>"


def bullets(sentences: Iterable[str]) -> str:
    """Return a bulleted list of texts."""
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences) + "</ul>"


def figure(plot: str, caption: str) -> str:
    """Return a plot with a caption."""
    return f"<figure>{plot}<figcaption>{escape(caption)}</figcaption></figure>"
