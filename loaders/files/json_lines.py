"""`.jsonl`, read line by line: pyarrow rejects a whole block for one invalid line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import IO, Any

import numpy as np
import pyarrow as pa

from kinfolio.errors import BadInput
from kinfolio.loaders.files import source
from kinfolio.loaders.files.encoding import open_text
from kinfolio.loaders.files.rejects import Rejects, quoted
from kinfolio.loaders.files.source import MORE, ROWS_PER_BATCH, Batch, too_long
from kinfolio.loaders.files.tables import TableFile, check_header, column_names, repeated_name

_MAX_DIGITS = 1_000
"""Longest integer that is read; only ids may have more than 19 digits."""
_VALUE = re.compile(r": .*", re.DOTALL)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number is too large: {digits[:20]}...")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        _refuse_repeated([name for name, _ in pairs])
    return fields


def _refuse_repeated(names: list[str]) -> None:
    repeated = repeated_name(names)
    if repeated is not None:
        raise ValueError(f"has the field {quoted(repeated)} twice")


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_int=_integer, object_pairs_hook=_object
)


def read_json_lines(file: TableFile, rejects: Rejects) -> Iterator[Batch]:
    """Yield the rows of a `.jsonl` file, standard fields as texts, the others as JSON in `MORE`."""
    meanings = {column.name: column.meaning for column in file.columns}
    seen: set[str] = set()
    with open_text(file) as stream:
        numbered = enumerate(_lines(file, stream), start=1)
        while chunk := list(islice(numbered, ROWS_PER_BATCH)):
            rows: list[dict[str, Any]] = []
            lines: list[int] = []
            for line, raw in chunk:
                if not raw.strip():
                    continue
                try:
                    row, more = _parse(raw, file, meanings)
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
                name: pa.array([row.get(name) for row in rows], pa.string())
                for name in (*meanings, MORE)
            }
            yield Batch(columns=columns, lines=np.array(lines, np.int64))
    if seen and not seen.issuperset(file.required):
        check_header(file, sorted(seen - {MORE}))


def _lines(file: TableFile, stream: IO[bytes]) -> Iterator[bytes]:
    is_first = True
    while line := stream.readline(source.BLOCK_BYTES):
        if is_first:
            is_first = not line.strip()
            _refuse_document(file, line)
        if len(line) == source.BLOCK_BYTES:
            raise BadInput(too_long(file))
        yield line


def _refuse_document(file: TableFile, line: bytes) -> None:
    """Raise BadInput if the first line begins an array, or an object over several lines."""
    is_array = re.match(rb"\s*\[\s*(\{|$)", line)
    if is_array or line.strip() == b"{":
        program = ".[]" if is_array else "."
        raise BadInput(
            f"{file.path} is {'one JSON array' if is_array else 'JSON over several lines'}; one "
            f"object a line was expected: jq -c '{program}' {file.name} writes it so"
        )


@lru_cache(maxsize=1_000)
def _names(file: TableFile, raw: tuple[str, ...]) -> list[str]:
    """Return the names of columns; most rows of a file have the same.

    Raises:
        ValueError: two fields are one column, such as `User` and `USER`.
    """
    names = column_names(file, list(raw))
    _refuse_repeated(names)
    return names


def _parse(
    raw: bytes, file: TableFile, meanings: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
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
    for name, value in zip(_names(file, tuple(fields)), fields.values(), strict=True):
        if value is None:
            continue
        if not name.isascii():
            _check_storable("a name of a field", name, has_column=False)
        if type(value) is not str or not value.isascii():
            _check_storable(name, value, has_column=name in meanings)
        if name not in meanings:
            more[name] = value
        elif meanings[name] == "countries":
            row[name] = json.dumps(value) if isinstance(value, list) else str(value)
        elif isinstance(value, list):
            raise ValueError(f"{name} is a list, one value was expected")
        else:
            row[name] = str(value).lower() if isinstance(value, bool) else str(value)
    row[MORE] = json.dumps(more, ensure_ascii=False, sort_keys=True) if more else None
    return row, more


def _check_storable(name: str, value: object, *, has_column: bool) -> None:
    """Raise ValueError, with the reason, for a value that cannot be stored as a property.

    Whole numbers of standard columns may be of any size, since an id is a text.
    """
    parts = value if isinstance(value, list) else [value]
    kinds = {type(part) for part in parts}
    if type(None) in kinds:
        raise ValueError(f"{name} has an empty entry: {quoted(value)}")
    if kinds - {str, int, float, bool}:
        raise ValueError(
            f"{name} is nested: {quoted(value)}; a text, a number or a list of one kind was "
            "expected"
        )
    if len(kinds) > 1 and kinds != {int, float}:
        raise ValueError(f"{name} mixes kinds in a list: {quoted(value)}")
    for part in parts:
        if isinstance(part, int) and not has_column and not -(2**63) <= part < 2**63:
            raise ValueError(f"{name} is too large: {quoted(part)}")
        if isinstance(part, float) and not math.isfinite(part):
            raise ValueError(f"{name} is too large")
        if isinstance(part, str) and not part.isascii():
            try:
                part.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{name} holds half a character: {quoted(part)}") from None
