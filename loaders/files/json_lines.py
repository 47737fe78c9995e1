"""`.jsonl`, read line by line: pyarrow rejects a whole block for one invalid line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import numpy as np
import pyarrow as pa

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import MORE, ROWS_PER_BATCH, Batch, open_stream, too_long
from kinfolio.loaders.files.tables import TableFile, check_header

_VALUE = re.compile(r": .*", re.DOTALL)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def read_json_lines(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a `.jsonl` file, standard fields as texts, the others as JSON in `MORE`."""
    meanings = {column.name: column.meaning for column in file.columns}
    types = {
        name: pa.list_(pa.string()) if meaning == "list" else pa.string()
        for name, meaning in meanings.items()
    } | {MORE: pa.string()}
    seen: set[str] = set()
    with open_stream(file) as stream:
        numbered = enumerate(_lines(file, stream), start=1)
        while chunk := list(islice(numbered, ROWS_PER_BATCH)):
            rows: list[dict[str, Any]] = []
            lines: list[int] = []
            for line, raw in chunk:
                if not raw.strip():
                    continue
                try:
                    row, more = _parse(raw, meanings)
                except ValueError as error:
                    kind = _VALUE.sub("", str(error))
                    rejects.add(file.name, line, str(error), kind=kind)
                    continue
                rows.append(row)
                lines.append(line)
                if not seen.issuperset(more):
                    check_header(file, [*file.required, *more])
                seen.update(row, more)
            columns = {
                name: pa.array([row.get(name) for row in rows], kind)
                for name, kind in types.items()
            }
            yield Batch(columns=columns, lines=np.array(lines, np.int64))
    if seen and not seen.issuperset(file.required):
        check_header(file, sorted(seen - {MORE}))


def _lines(file: TableFile, stream: IO[bytes]) -> Iterator[bytes]:
    prefix = b"\xef\xbb\xbf"
    while line := stream.readline(source.BLOCK_BYTES):
        if len(line) == source.BLOCK_BYTES:
            raise BadInput(too_long(file))
        yield line.removeprefix(prefix)
        prefix = b""


def _parse(raw: bytes, meanings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return one row, and its additional fields.

    Raises:
        ValueError: the line is not a valid row; its text is the reason.
    """
    try:
        fields = _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        raise ValueError(f"not UTF-8: {quoted(raw.strip())}") from None
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(f"not JSON: {quoted(raw.decode().strip())}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"not a JSON object: {quoted(raw.decode().strip())}")
    row: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if type(value) is not str or not value.isascii():
            _check_storable(name, value)
        if name not in meanings:
            more[name] = value
        elif meanings[name] == "list":
            parts = value if isinstance(value, list) else str(value).replace("|", ",").split(",")
            row[name] = list(map(str, parts))
        elif isinstance(value, list):
            raise ValueError(f"{name} is a list, one value was expected")
        else:
            row[name] = str(value).lower() if isinstance(value, bool) else str(value)
    row[MORE] = json.dumps(more, ensure_ascii=False, sort_keys=True) if more else None
    return row, more


def _check_storable(name: str, value: object) -> None:
    """Raise ValueError, with the reason, for a value that cannot be stored as a property."""
    parts = value if isinstance(value, list) else [value]
    kinds = {type(part) for part in parts}
    if kinds - {str, int, float, bool}:
        raise ValueError(
            f"{name} is nested: {quoted(value)}; a text, a number or a list of one kind was "
            "expected"
        )
    if len(kinds) > 1 and kinds != {int, float}:
        raise ValueError(f"{name} mixes kinds in a list: {quoted(value)}")
    for part in parts:
        if isinstance(part, int) and not -(2**63) <= part < 2**63:
            raise ValueError(f"{name} {quoted(part)} is too large")
        if isinstance(part, str) and not part.isascii():
            try:
                part.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{name} holds half a character: {quoted(part)}") from None
