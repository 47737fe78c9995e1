"""Records as pandas data frames; cells of spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, get_type_hints

from kinfolio.errors import NotReady

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")


_FORMULA = re.compile(r"[=+@\t\r\n\uff1d\uff0b\uff20\uff0d-]|\\[trn]")
"""First characters of a formula, also in full width, or white space before it, also escaped."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.]\d+)?(?:e[+-]?\d+)?")


def spreadsheet_cell(text: str) -> str:
    """Return a text with a ' before it if a spreadsheet takes it for a formula.

    Those of OWASP's "CSV injection" are meant; numbers, like a score of -0.5, are left alone.
    """
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


class Tabular:
    """A frozen record that can be converted to a table."""

    __slots__ = ()
    _rows: ClassVar[str] = ""
    """Field with the rows; empty: the record itself is the only row."""

    def to_frame(self) -> pd.DataFrame:
        """A data frame; nested records become columns such as `valid.recall`.

        Raises:
            NotReady: pandas is not installed.
        """
        return _frame(self._table(), self._columns())

    def _table(self) -> Iterable[object]:
        rows: Iterable[object] = getattr(self, self._rows) if self._rows else (self,)
        return rows

    def _columns(self) -> list[str]:
        if not self._rows:
            return []
        record = get_args(get_type_hints(type(self))[self._rows])[0]
        return [field.name for field in fields(record)]


class Records(tuple[_T, ...]):
    """Several records of one kind."""

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """A data frame with one row per record.

        Raises:
            NotReady: pandas is not installed.
        """
        return _frame(self, [])


def _frame(rows: Iterable[object], columns: Sequence[str]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        raise NotReady("to_frame() needs pandas; type: pip install pandas") from error
    found = [_cells(row) for row in rows]
    return pd.DataFrame(found) if found else pd.DataFrame(columns=list(columns))


def _cells(row: object, prefix: str = "") -> dict[str, Any]:
    # Any: the value of a field.
    if isinstance(row, Mapping):
        items = {str(name): value for name, value in row.items()}
    else:
        assert is_dataclass(row), row
        items = {field.name: getattr(row, field.name) for field in fields(row)}
    cells: dict[str, Any] = {}
    for name, value in items.items():
        if is_dataclass(value) or isinstance(value, Mapping):
            cells |= _cells(value, f"{prefix}{name}.")
        else:
            cells[prefix + name] = value
    return cells
