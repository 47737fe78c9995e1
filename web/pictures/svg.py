"""Building blocks of SVG pictures: elements, boxes with text that fits, curves.

Colours and fonts are classes of the style sheet, never attributes, so that a picture follows the
theme and a strict Content-Security-Policy lets it through.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from kinfolio.json_text import UNSAFE

LETTER = 8.5
"""Pixels that a letter takes at most on average, at 14 px in the widest common system font."""
SMALL_LETTER = 7.4
"""The same at 12 px."""


def readable(text: object) -> str:
    """Return a text on one line without characters that a page obeys or does not show."""
    return " ".join(UNSAFE.sub(" ", str(text)).split())


def element(name: str, *children: str, **attributes: str | float) -> str:
    """Return an element; attribute names lose a trailing `_`, and other `_` become `-`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>"


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def cut(text: object, width: float, letter: float = LETTER) -> str:
    """Return a text that fits into `width` pixels, with an ellipsis where letters are missing."""
    whole, most = readable(text), max(1, int(width / letter))
    return whole if len(whole) <= most else f"{whole[: most - 1].rstrip()}…"


def wrap(text: object, width: float, lines: int) -> list[str]:
    """Return a text in at most `lines` lines of `width` pixels, the last with an ellipsis."""
    found = [""]
    for word in readable(text).split():
        longer = f"{found[-1]} {word}".strip()
        if len(longer) * LETTER <= width or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    if len(found) > lines:
        found[lines - 1 :] = [" ".join(found[lines - 1 :])]
    return [cut(line, width) for line in found]


def label(x: float, y: float, text: object, class_: str = "", anchor: str = "start") -> str:
    """Return a line of text with its baseline at y."""
    return element("text", escape(str(text)), x=x, y=y, class_=class_, text_anchor=anchor)


def name_in(x: float, y: float, text: object, width: float) -> str:
    """Return a name in one line or two around y, with an ellipsis where even two are too short."""
    lines = wrap(text, width, 2)
    if len(lines) == 1:
        return label(x, y + 5, lines[0], "name")
    return label(x, y - 4, lines[0], "name") + label(x, y + 14, lines[1], "name")


def box(x: float, y: float, width: float, height: float, class_: str) -> str:
    """Return a rectangle with round corners."""
    return element("rect", x=x, y=y, width=width, height=height, rx=8.0, class_=class_)


def curve(start: tuple[float, float], end: tuple[float, float], width: float, class_: str) -> str:
    """Return a horizontal S-curve, `width` pixels wide."""
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) / 2
    d = f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return element("path", d=d, class_=class_, stroke_width=width)


def picture(
    parts: Iterable[str],
    size: tuple[float, float],
    *,
    name: str,
    words: tuple[str, str],
    class_: str,
) -> str:
    """Return a whole picture; `words` are its title and description for a screen reader."""
    width, height = size
    return element(
        "svg",
        element("title", escape(readable(words[0])), id=f"{name}-title"),
        element("desc", escape(readable(words[1])), id=f"{name}-desc"),
        *parts,
        viewBox=f"-1 -1 {width + 2:g} {height + 2:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
        class_=class_,
    )


def percent(share: float) -> str:
    """Return a share with its sign, like `+19.7 %`."""
    return f"{share * 100:+.1f} %".replace("-", "−")


def signed(value: float) -> str:
    """Return a contribution with its sign and three decimals."""
    return f"{value:+.3f}".replace("-", "−")
