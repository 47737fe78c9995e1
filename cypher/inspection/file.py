"""A mapping as a commented TOML file, to be reviewed by a person."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

from kinfolio.cypher.inspection.inventory import Found, Key
from kinfolio.cypher.mapping.names import SECTIONS, Mapping
from kinfolio.errors import BadInput
from kinfolio.run import whole_file

_COMMENTS = tomllib.loads(
    files("kinfolio.cypher.inspection").joinpath("comments.toml").read_text("utf-8")
)


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
    parts = [_COMMENTS["head"].format(file=file), _inventory(found)]
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
    lines = [f"# {_COMMENTS['sections'][name]}", f"{is_off}[{name}]"]
    for item in fields(SECTIONS[name]):
        value = None if names is None else getattr(names, item.name)
        is_known = value is not None
        shown = _COMMENTS["examples"].get(item.name, item.name) if value is None else value
        comment = _COMMENTS["lines"].get(item.name, "")
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
