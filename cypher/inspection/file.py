"""A mapping as a commented TOML file, to be reviewed by a person."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from kinfolio.cypher.inspection.inventory import Found, Key
from kinfolio.cypher.mapping.names import SECTIONS, Mapping
from kinfolio.errors import BadInput
from kinfolio.run import whole_file

_HEAD = """\
# The names of users, products and holdings in this graph: a guess, please review it.
# To see what each line finds:  kinfolio map check {file}
# To use it:  kinfolio export --mapping {file}, or set KINFOLIO_MAPPING={file}
# Lines that begin with # are off; a section that is off is not in the graph.
"""
_SECTION_COMMENTS = {
    "users": "Users. `id`: a property that is different on each node.",
    "products": "Products.",
    "holdings": "Holdings: a user holds a product.",
    "ties": "Ties between two users.",
    "reviews": "Reviews: `type` of a relationship from user to product, or `label`,\n"
    "# `wrote` and `about` of nodes between them.",
    "categories": "Categories of products, as nodes.",
    "dismissals": "Dismissals: a user does not want a product recommended.",
}
_EXAMPLES: dict[str, str | float] = {
    "direction": "in",
    "least_rating": 4.0,
    "id_type": "integer",
    "at_unit": "seconds",
    "type": "TYPE",
    "label": "Label",
}
_LINE_COMMENTS = {
    "id_type": "text or integer",
    "exclusive": "true if none connects other labels: counting is then faster",
    "direction": "out or in, seen from the first of the two",
    "least_rating": "minimum rating of a held product; below, it counts as dismissed",
    "at_unit": "milliseconds or seconds since 1970, or date",
    "split": "holds train, valid or test",
    "countries": "a list of texts",
    "open": "true or false",
}


def write_mapping(file: Path, mapping: Mapping, found: Found, *, force: bool = False) -> None:
    """Write the mapping with an inventory of the graph as comments.

    Raises:
        BadInput: the file exists already, or cannot be written.
    """
    check_free(file, force=force)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as temporary:
            temporary.write_text(as_toml(mapping, found, str(file)), "utf-8")
    except OSError as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{file} cannot be written ({error.strerror or error})") from error


def check_free(file: Path, *, force: bool = False) -> None:
    """Check that the file may be written.

    Raises:
        BadInput: it exists already.
    """
    if file.exists() and not force:
        raise BadInput(f"{file} is there already; give another name, or --force to replace it")


def as_toml(mapping: Mapping, found: Found, file: str = "mapping.toml") -> str:
    """Return the text of a mapping."""
    parts = [_HEAD.format(file=file), _inventory(found)]
    parts += [_section(name, mapping, found) for name in SECTIONS]
    return "\n".join(parts)


def _inventory(found: Found) -> str:
    lines = ["# In the graph:"]
    lines += [
        f"#   {number:>12,}  ({_safe(label)})  {_listed(found.keys.get(label, ()))}".rstrip()
        for label, number in found.labels.items()
    ]
    lines += [
        f"#   {one.links:>12,}  ({_safe(one.source)})-[{_safe(one.type)}]->({_safe(one.target)})  "
        f"{_listed(found.link_keys.get((one.type, one.source, one.target), ()))}".rstrip()
        for one in found.ends
    ]
    return "\n".join(lines) + "\n"


def _section(name: str, mapping: Mapping, found: Found) -> str:
    names = getattr(mapping, name)
    is_off = "# " if names is None else ""
    lines = [f"# {_SECTION_COMMENTS[name]}", f"{is_off}[{name}]"]
    for item in fields(SECTIONS[name]):
        value = None if names is None else getattr(names, item.name)
        is_known = value is not None
        shown = _EXAMPLES.get(item.name, item.name) if value is None else value
        comment = _LINE_COMMENTS.get(item.name, "")
        lines.append(
            f"{'' if is_known else '# '}{item.name} = {_toml(shown)}"
            + (f"  # {comment}" if comment else "")
        )
    return "\n".join(lines) + "\n"


def _toml(value: str | float) -> str:
    # A TOML basic string is a JSON string except for one character.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def _listed(keys: tuple[Key, ...]) -> str:
    return ", ".join(f"{_safe(key.name)} {'|'.join(key.types)}" for key in keys)


def _safe(name: str) -> str:
    """Return a name without characters that could end the comment."""
    return "".join(char if char.isprintable() else " " for char in name)
