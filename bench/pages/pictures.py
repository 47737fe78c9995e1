"""Draws docs/pictures/overview-{light,dark}.svg: steps, a part of the graph and one explanation."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 720, 636
STEPS = (
    ("load", "files"),
    ("train", "text + graph"),
    ("write back", "embeddings"),
    ("recommend", "a list"),
    ("explain", "reasons"),
)
EXPLANATION = (
    (("Bramble Daily Savings Account", "product"), (" fits you for many small reasons:", "")),
    (("among the ", ""), ("16 others", "first"), (" with Clover Daily Savings Plan, ", "")),
    (("8 hold this savings product [1]", "first"), ("; of the ", ""), ("20 others", "second")),
    (("with Juniper Travel Insurance, ", ""), ("9 have it as well [3]", "second"), (".", "")),
    (("Its risk level is 1, within your level of 4. This is not advice.", ""),),
)
"""From docs/examples.md, shortened."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one picture."""

    paper: str
    ink: str
    faint: str
    box: str
    product: str
    first: str
    second: str


THEMES = {
    "light": Theme("#ffffff", "#1f2937", "#6b7280", "#f3f4f6", "#0f766e", "#1d4ed8", "#b45309"),
    "dark": Theme("#0d1117", "#e5e7eb", "#9ca3af", "#1f2630", "#2dd4bf", "#7cb1ff", "#fbbf60"),
}


def draw(theme: Theme) -> str:
    """Return the picture as SVG."""
    parts = [*_steps(theme), *_graph(theme), *_explanation(theme)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" '
        'role="img" aria-label="Files are loaded into a Neo4j graph; a model is trained on it; its '
        'embeddings go back to the nodes; lists and their reasons come from the graph.">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{theme.paper}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _steps(theme: Theme) -> list[str]:
    parts, gap = [], 12
    width = (WIDTH - 2 * 20 - gap * (len(STEPS) - 1)) / len(STEPS)
    for place, (verb, what) in enumerate(STEPS):
        left = 20 + place * (width + gap)
        right, tip = left + width, left + width + gap - 2
        shape = f"M{left:.0f} 20 H{right:.0f} L{tip:.0f} 56 L{right:.0f} 92 H{left:.0f} Z"
        parts += [
            f'<path d="{shape}" fill="{theme.box}"/>',
            _text(left + width / 2, 52, verb, theme.ink, size=18, weight=600),
            _text(left + width / 2, 77, what, theme.faint, size=16),
        ]
    return parts


def _graph(theme: Theme) -> list[str]:
    you, recommended = (76, 270), (612, 270)
    parts = []
    for y, colour, name, others, shared, number in (
        (175, theme.first, ("Clover Daily", "Savings Plan"), "16 others", "8 hold it", "1"),
        (365, theme.second, ("Juniper Travel", "Insurance"), "20 others", "9 hold it", "3"),
    ):
        holding, group = (228, y), (424, y)
        parts += [
            _edge(you, holding, colour),
            _edge(group, holding, colour),
            _edge(group, recommended, colour),
            _text(112, 212 if y < 270 else 338, "HOLDS", theme.faint, size=14),
            _text(342, y - 9, "HOLDS", theme.faint, size=14),
            _text(562, y + 12 if y < 270 else y - 4, shared, colour, size=18, weight=600),
            _product(holding, name, theme.faint, theme),
            _person(group, others, colour, theme),
            _badge((500, y + (270 - y) * 2 // 5), number, colour, theme),
        ]
    parts.append(_person(you, "you", theme.ink, theme))
    parts.append(_product(recommended, ("Bramble Daily", "Savings Account"), theme.product, theme))
    return parts


def _explanation(theme: Theme) -> list[str]:
    colours = {"": theme.ink, "first": theme.first, "second": theme.second}
    colours["product"] = theme.product
    parts = [f'<rect x="20" y="440" width="680" height="182" rx="10" fill="{theme.box}"/>']
    for row, line in enumerate(EXPLANATION):
        spans = ""
        for words, kind in line:
            weight = 600 if kind else 400
            spans += f'<tspan fill="{colours[kind]}" font-weight="{weight}">{escape(words)}</tspan>'
        parts.append(f'<text x="40" y="{476 + 31 * row}" font-size="18">{spans}</text>')
    return parts


def _text(x: float, y: float, words: str, colour: str, *, size: int = 17, weight: int = 400) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}" text-anchor="middle">{escape(words)}</text>'
    )


def _edge(start: tuple[int, int], end: tuple[int, int], colour: str) -> str:
    return (
        f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" '
        f'stroke="{colour}" stroke-width="2.5"/>'
    )


def _person(at: tuple[int, int], name: str, colour: str, theme: Theme) -> str:
    return (
        f'<circle cx="{at[0]}" cy="{at[1]}" r="50" fill="{theme.paper}" stroke="{colour}" '
        f'stroke-width="2.5"/>' + _text(at[0], at[1] + 6, name, colour, weight=600)
    )


def _product(at: tuple[int, int], name: tuple[str, str], colour: str, theme: Theme) -> str:
    x, y = at[0] - 84, at[1] - 32
    return (
        f'<rect x="{x}" y="{y}" width="168" height="64" rx="8" fill="{theme.paper}" '
        f'stroke="{colour}" stroke-width="2.5"/>'
        + _text(at[0], at[1] - 5, name[0], colour, weight=600)
        + _text(at[0], at[1] + 17, name[1], colour, weight=600)
    )


def _badge(at: tuple[int, int], number: str, colour: str, theme: Theme) -> str:
    return f'<circle cx="{at[0]}" cy="{at[1]}" r="13" fill="{colour}"/>' + _text(
        at[0], at[1] + 6, number, theme.paper, weight=700
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, theme in THEMES.items():
        (FOLDER / f"overview-{name}.svg").write_text(draw(theme), "utf-8")
