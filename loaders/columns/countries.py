"""Countries as ISO 3166 two-letter codes, from codes, names and lists of them.

Names are known in English and in the languages of `_LANGUAGES`.
"""

from __future__ import annotations

import gettext
import json
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

import pyarrow as pa

from kinfolio.loaders.columns.arrays import Converted, is_valid, trimmed
from kinfolio.loaders.files.rejects import quoted

_LANGUAGES = ("de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "fi", "cs")
_OTHER_CODES = {"uk": "GB", "el": "GR", "xk": "XK", "xkx": "XK", "uae": "AE"}
"""Codes in use that are not of ISO 3166: exceptional, of the European Union, and for Kosovo."""
_OTHER_NAMES = {
    "great britain": "GB",
    "holland": "NL",
    "ivory coast": "CI",
    "kosovo": "XK",
    "north macedonia": "MK",
    "russia": "RU",
    "swaziland": "SZ",
    "turkey": "TR",
    "vatican": "VA",
}
_GROUPS = {"eu", "europe", "eea", "efta", "dach", "benelux", "apac", "emea", "latam", "nordics"}
_EVERYWHERE = {"*", "all", "any", "worldwide", "global", "everywhere"}
"""Texts for a product without a limit."""
_SHORTEST_NAME = 4
_SEPARATORS = "|;\n\t/,"
_BRACKETS = {"[": "]", "{": "}", "(": ")"}
_WORD = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'|;/,]+(?: +[^\s"'|;/,]+)*""")
_SHORT_CODES = re.compile(r"[A-Za-z]{2,3}(\s+[A-Za-z]{2,3})+")


class NoCountry(ValueError):
    """A text is no country; its text is the reason."""


@lru_cache(10_000)
def country_code(text: str) -> str:
    """Return the two-letter code of a country.

    Raises:
        NoCountry: there is no such country.
    """
    name = _folded(text)
    if code := _code(name):
        return code
    if name in _GROUPS:
        raise NoCountry(f"{quoted(text)} is a group of countries; list its countries")
    raise NoCountry(
        f"{quoted(text)} is not a country: an ISO 3166 code such as DE or DEU, or a name, was "
        "expected"
    )


def country_codes(text: str) -> tuple[str, ...]:
    """Return the codes of a list of countries; empty: no limit.

    Raises:
        NoCountry: an entry is no country.
    """
    entries = _entries(text.strip())
    if len(entries) == 1 and entries[0].lower() in _EVERYWHERE:
        return ()
    return tuple(dict.fromkeys(country_code(entry) for entry in entries))


def only_country(text: str) -> str:
    """Return the code of a country, or of a list of one.

    Raises:
        NoCountry: there is no such country, or the text is a list of several.
    """
    codes = country_codes(text)
    if len(codes) != 1:
        raise NoCountry(f"{quoted(text)} is not one country")
    return codes[0]


def convert_country(values: Any) -> Converted:
    """Convert texts to country codes."""
    return _converted(values, only_country, pa.string())


def convert_countries(values: Any) -> Converted:
    """Convert lists, or texts that are lists, to lists of country codes."""
    if not pa.types.is_string(values.type):
        lists = values.to_pylist()
        texts = [None if one is None else json.dumps(list(map(str, one))) for one in lists]
        values = pa.array(texts, pa.string())
    return _converted(values, country_codes, pa.list_(pa.string()))


def why_no_country(column: str, value: object) -> tuple[str, str]:
    """Return why a raw value is invalid, with and without the value."""
    text = json.dumps([str(part) for part in value]) if isinstance(value, list) else str(value)
    try:
        country_codes(text) if column == "countries" else only_country(text)
    except NoCountry as error:
        return f"{column}: {error}", f"{column} is not a country"
    raise AssertionError(value)


def _converted(values: Any, convert: Any, kind: Any) -> Converted:
    texts = trimmed(values)
    coded = texts.dictionary_encode()
    codes = []
    for text in coded.dictionary.to_pylist():
        try:
            codes.append((convert(text) or None, False))
        except NoCountry:
            codes.append((None, True))
    found = pa.array([code for code, _ in codes], kind).take(coded.indices)
    wrong = pa.array([is_wrong for _, is_wrong in codes], pa.bool_()).take(coded.indices)
    return found, is_valid(texts) & wrong.fill_null(False).to_numpy(zero_copy_only=False)


def _entries(text: str) -> list[str]:
    """Split a list in the notation of JSON, Python, PostgreSQL or NumPy, or with separators."""
    if text[:1] in _BRACKETS and text[-1:] == _BRACKETS[text[0]]:
        try:
            parts = json.loads(text)
        except (ValueError, RecursionError):
            parts = [word[1:-1] if word[0] in "\"'" else word for word in _WORD.findall(text[1:-1])]
        if not isinstance(parts, list):
            parts = [text] if parts else []
        return [part for one in parts if (part := str(one).strip())]
    if _SHORT_CODES.fullmatch(text) and not _code(_folded(text)):
        return text.split()
    return _split(text)


def _split(text: str) -> list[str]:
    """Split at separators, except inside a name such as "Korea, Republic of"."""
    text = text.strip().strip("\"'").strip()
    if not _code(_folded(text)):
        for separator in _SEPARATORS:
            if separator in text:
                return [entry for part in text.split(separator) for entry in _split(part)]
    return [text] if text else []


def _folded(text: str) -> str:
    """Return a name without case, accents, points and a leading article."""
    plain = unicodedata.normalize("NFKD", text.strip().casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign) and sign != ".")
    return " ".join(plain.replace("\u2019", "'").split()).removeprefix("the ")


def _code(name: str) -> str | None:
    """Return the code of a folded code or name."""
    return _english_names().get(name) or _other_names().get(name)


@cache
def _english_names() -> dict[str, str]:
    """Return the codes by folded code or English name."""
    import pycountry  # 30 ms

    codes = {
        text.lower(): country.alpha_2
        for country in pycountry.countries
        for text in (country.alpha_2, country.alpha_3, country.numeric, country.flag)
    }
    return {_folded(text): code for code, text in _titles()} | _OTHER_NAMES | codes | _OTHER_CODES


@cache
def _other_names() -> dict[str, str]:
    """Return the codes by folded name in other languages, where all of them mean one country."""
    import pycountry

    found: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        translation = gettext.translation(
            "iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True
        )
        for code, title in _titles():
            name = _folded(translation.gettext(title))
            if len(name) >= _SHORTEST_NAME:
                found.setdefault(name, set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if len(codes) == 1}


def _titles() -> list[tuple[str, str]]:
    """Return the code and English name of each country, once for each of its names."""
    import pycountry

    return [
        (country.alpha_2, title)
        for country in pycountry.countries
        for field in ("name", "common_name", "official_name")
        # `getattr` of a field that a country lacks warns.
        if (title := country._fields.get(field))
    ]
