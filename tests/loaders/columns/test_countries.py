"""Countries and lists of them as ISO 3166 two-letter codes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from kinfolio.loaders.columns.conversions import survey
from kinfolio.loaders.files.tables import Column, Meaning


def read(meaning: Meaning, values: list[Any], kind: Any = None) -> tuple[list[Any], list[str]]:
    """Return the codes, and the reasons of invalid values."""
    raw = pa.array(values, kind)
    name = "country" if meaning == "country" else "countries"
    found = survey(Column(name=name, meaning=meaning, stored=name)).interpretation()
    codes, invalid = found.convert(raw)
    reasons = [found.why_invalid(raw[row].as_py())[0] for row in invalid.nonzero()[0].tolist()]
    return codes.to_pylist(), reasons


@pytest.mark.parametrize(
    "text",
    [
        '["DE", "FR"]', "['DE','FR']", "['DE' 'FR']", "('DE', 'FR')", "{DE,FR}", '{"DE","FR"}',
        "[DE, FR]", "DE;FR", "DE/FR", "DE|FR", "DE, FR", "DE FR", "de,fr", " DE | FR ", "DE,FR,DE",
        "DEU;FRA", "Germany, France", "germany|FRANCE", "Deutschland, Frankreich", "276/250",
        '["Allemagne", "Francia"]', "DE\nFR", '"DE","FR"',
    ],
)  # fmt: skip
def test_a_list_of_countries_is_read_in_every_usual_notation(text: str) -> None:
    assert read("countries", [text]) == ([["DE", "FR"]], [])


def test_lists_of_a_typed_column_are_read_alike() -> None:
    assert read("countries", [["DE", "France"], [], None]) == ([["DE", "FR"], None, None], [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"), ("el", "GR"), ("XK", "XK"), ("NA", "NA"), ("no", "NO"), (" DE\u00a0", "DE"),
        ("Korea, Republic of", "KR"), ("Bosnia and Herzegovina", "BA"), ("The Netherlands", "NL"),
        ("U.S.A.", "US"), ("Turkey", "TR"), ("T\u00fcrkiye", "TR"), ("Osterreich", "AT"),
        ("Cote d\u2019Ivoire", "CI"), ("\U0001f1e9\U0001f1ea", "DE"), ("Guinea-Bissau", "GW"),
    ],
)  # fmt: skip
def test_a_country_is_its_two_letter_code(text: str, code: str) -> None:
    assert read("country", [text, "", None]) == ([code, None, None], [])
    assert read("countries", [text]) == ([[code]], [])
    assert read("country", [f'["{text}"]']) == ([code], [])


@pytest.mark.parametrize("text", ["*", "all", "Worldwide", "[]", "{}", "", None])
def test_a_product_may_have_no_limit(text: str | None) -> None:
    assert read("countries", [text], pa.string()) == ([None], [])


@pytest.mark.parametrize(
    "text", ["Foo", "XX", "Korea", "DE, Foo", '["DE", null]', '{"DE": 1}', "[", "[[" * 5000]
)
def test_what_is_no_country_is_invalid_with_the_reason(text: str) -> None:
    codes, reasons = read("countries", [text])
    assert codes == [None]
    assert (
        "is not a country: an ISO 3166 code such as DE or DEU, or a name, was expected"
        in reasons[0]
    )
    assert read("countries", ["DE, EU"])[1] == [
        "countries: 'EU' is a group of countries; list its countries"
    ]
    assert read("country", ["DE,FR", "*"])[1] == [
        "country: 'DE,FR' is not one country",
        "country: '*' is not one country",
    ]
