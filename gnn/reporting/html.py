"""Building blocks of the report page: layout, styles, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #666; --line: #ddd; --back: #fff;
  --ours: #b8321f; --theirs: #7189a0; --bar: #dcdcdc; --good: #25682a; --mark: #fff3c4;
  --c0: #b8321f; --c1: #1f6fa3; --c2: #6b7d1e; --c3: #8a4fae; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e4; --soft: #a2a2a2; --line: #3a3a3a;
  --back: #161616; --ours: #ff8268; --theirs: #7f9ab5; --bar: #3d3d3d; --good: #8fd094;
  --mark: #4a3f14; --c0: #ff8268; --c1: #6cb8ec; --c2: #b9cc57; --c3: #cb9be8; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  max-width: 62rem; margin: 1.5rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.4rem; } h3 { margin: 1.4rem 0 .3rem; }
.small, figcaption, dt { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .5rem; }
dd { margin: 0; font-size: 17px; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: .4rem 0; }
th, td { padding: .15rem .8rem .15rem 0; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tr.ours td:first-child { color: var(--ours); font-weight: 600; }
td b { background: var(--mark); padding: 0 .2rem; }
figure { margin: .8rem 0; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr));
  gap: 1rem; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(25rem, 100%), 1fr));
  gap: 0 2rem; }
.panels svg { width: 100%; max-width: 28rem; height: auto; }
svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .title { font-size: 12px; font-weight: 600; }
svg .axis, svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); }
svg rect.ours, svg circle.ours { fill: var(--ours); }
svg rect.theirs, svg circle.theirs { fill: var(--theirs); }
svg line.ours { stroke: var(--ours); stroke-width: 2; }
svg line.theirs { stroke: var(--theirs); stroke-width: 2; }
svg .bar, i.bar { fill: var(--bar); background: var(--bar); }
svg .line { fill: none; stroke-width: 1.8; }
.c0 { stroke: var(--c0); fill: var(--c0); background: var(--c0); }
.c1 { stroke: var(--c1); fill: var(--c1); background: var(--c1); }
.c2 { stroke: var(--c2); fill: var(--c2); background: var(--c2); }
.c3 { stroke: var(--c3); fill: var(--c3); background: var(--c3); }
@media (max-width: 30rem) { table { font-size: 12px; } th, td { padding-right: .5rem; } }
.legend span { margin-right: 1.2rem; white-space: nowrap; font-size: 13px; }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; }
.hit { color: var(--good); font-weight: 600; }
"""


def page(title: str, body: Iterable[str]) -> str:
    """Return a self-contained page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
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
