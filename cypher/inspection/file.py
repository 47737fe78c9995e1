"""A mapping as a commented TOML file, for a person to look through."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from kinfolio.cypher.inspection.inventory import Found, Key
from kinfolio.cypher.mapping.names import SECTIONS, Mapping
from kinfolio.errors import BadInput
from kinfolio.run import whole_file

_HEAD = """\
# What this graph calls kinfolio's users, products and holdings: a guess, please look through it.
# To see what each line finds:  kinfolio map check {file}
# To use it:  kinfolio export --mapping {file}, or set KINFOLIO_MAPPING={file}
# Lines that begin with # are off; a section that is off is something the graph does not have.
"""
_SAID = {
    "users": "Who holds products. `id`: a property that is different on each node.",
    "products": "What is held.",
    "holdings": "That a user holds a product.",
    "ties": "That two users know of each other.",
    "reviews": "What a user wrote: `type` of a relationship from user to product, or `label`,\n"
    "# `wrote` and `about` of nodes between them.",
    "categories": "What kind of product it is, as a node.",
    "dismissals": "That a user wants to see no more of a product.",
}
_EXAMPLES: dict[str, str | float] = {
    "direction": "in",
    "least_rating": 4.0,
    "id_type": "integer",
    "at_unit": "seconds",
    "type": "TYPE",
    "label": "Label",
}
_REMARKS = {
    "id_type": "text or integer",
    "exclusive": "true when none runs between other labels: counts are faster then",
    "direction": "out or in, seen from the first of the two",
    "least_rating": "only ratings from here on count as held; below, as dismissed",
    "at_unit": "milliseconds or seconds since 1970, or date",
    "split": "holds train, valid or test",
    "countries": "a list of texts",
    "open": "true or false",
}


def write_mapping(file: Path, mapping: Mapping, found: Found, *, force: bool = False) -> None:
    """Write the mapping with what was found beside it.

    Raises:
        BadInput: the file is there already, or cannot be written.
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
    """Return when the file may be written.

    Raises:
        BadInput: it is there already.
    """
    if file.exists() and not force:
        raise BadInput(f"{file} is there already; give another name, or --force to replace it")


def as_toml(mapping: Mapping, found: Found, file: str = "mapping.toml") -> str:
    """The text of a mapping."""
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
    lines = [f"# {_SAID[name]}", f"{is_off}[{name}]"]
    for item in fields(SECTIONS[name]):
        value = None if names is None else getattr(names, item.name)
        is_known = value is not None
        shown = _EXAMPLES.get(item.name, item.name) if value is None else value
        remark = _REMARKS.get(item.name, "")
        lines.append(
            f"{'' if is_known else '# '}{item.name} = {_toml(shown)}"
            + (f"  # {remark}" if remark else "")
        )
    return "\n".join(lines) + "\n"


def _toml(value: str | float) -> str:
    # A TOML basic string is a JSON string, save for one sign that JSON leaves as it is.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def _listed(keys: tuple[Key, ...]) -> str:
    return ", ".join(f"{_safe(key.name)} {'|'.join(key.types)}" for key in keys)


def _safe(name: str) -> str:
    """A name that cannot leave its comment."""
    return "".join(sign if sign.isprintable() else " " for sign in name)
