"""A mapping as a commented TOML file for review."""

from __future__ import annotations

import json
import shlex
import tomllib
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

from kinfolio.cypher.inspection.inventory import Inventory, Key
from kinfolio.cypher.mapping.names import SECTIONS, Mapping
from kinfolio.errors import BadInput
from kinfolio.run import whole_file

_COMMENTS = tomllib.loads(
    files("kinfolio.cypher.inspection").joinpath("comments.toml").read_text("utf-8")
)


def write_mapping(file: Path, mapping: Mapping, found: Inventory, *, force: bool = False) -> None:
    """Write the mapping with an inventory of the graph as comments.

    Raises:
        BadInput: the file exists.
        FileError: it cannot be written.
    """
    check_free(file, force=force)
    with whole_file(file, cure="give another name") as temporary:
        temporary.write_text(as_toml(mapping, found, str(file)), "utf-8")


def check_free(file: Path, *, force: bool = False) -> None:
    """Check that the file may be written.

    Raises:
        BadInput: it exists.
    """
    if file.exists() and not force:
        raise BadInput(f"{file} exists; give another name, or --force to overwrite it")


def as_toml(mapping: Mapping, found: Inventory, file: str = "mapping.toml") -> str:
    """Return the text of a mapping."""
    parts = [_COMMENTS["head"].format(file=shlex.quote(file)), _inventory(found)]
    parts += [_section(name, mapping, found) for name in SECTIONS]
    return "\n".join(parts)


def _inventory(found: Inventory) -> str:
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


def _section(name: str, mapping: Mapping, found: Inventory) -> str:
    names = getattr(mapping, name)
    lines = [f"# {_COMMENTS['sections'][name]}", f"{'# ' if names is None else ''}[{name}]"]
    for item in fields(SECTIONS[name]):
        value = None if names is None else getattr(names, item.name)
        prefix, comment = "", _COMMENTS["lines"].get(item.name, "")
        if value is None:
            prefix, value = "# ", _COMMENTS["examples"].get(item.name, item.name)
        lines.append(
            f"{prefix}{item.name} = {_toml(value)}" + (f"  # {comment}" if comment else "")
        )
    return "\n".join(lines) + "\n"


def _toml(value: str | float) -> str:
    # A TOML basic string is a JSON string except for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(keys: tuple[Key, ...]) -> str:
    return ", ".join(f"{_safe(key.name)} {'|'.join(key.types)}" for key in keys)


def _safe(name: str) -> str:
    """Return a name without characters that could end the comment."""
    return "".join(char if char.isprintable() else " " for char in name)
