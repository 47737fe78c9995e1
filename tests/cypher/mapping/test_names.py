import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kinfolio.cypher.mapping.names import (
    OWN_LABEL,
    OWN_TYPES,
    mapping_from,
    own_properties,
    read_mapping,
)
from kinfolio.errors import BadConfig
from tests.cypher.mapping.mappings import BARE, MOVIES


def changed(section: str, **lines: Any) -> dict[str, Any]:
    """The movie mapping with changed lines of a section; None removes a line."""
    content = copy.deepcopy(MOVIES)
    content[section] = {**content.get(section, {}), **lines}
    content[section] = {key: value for key, value in content[section].items() if value is not None}
    return content


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(
        '[users]\nlabel = "Client"\nid = "number"\n[products]\nlabel = "Fund"\nid = "isin"\n'
        '[holdings]\ntype = "BOUGHT"\nexclusive = true\n'
    )
    assert read_mapping(file) == mapping_from(BARE)
    assert read_mapping(file).ties is None


def test_a_mapping_can_be_a_key_of_a_cache() -> None:
    assert hash(mapping_from(MOVIES)) == hash(mapping_from(copy.deepcopy(MOVIES)))


WRONG = {
    "an unknown section": ({**BARE, "user": {}}, "did you mean 'users'"),
    "a missing section": ({"users": BARE["users"]}, "[products] is missing"),
    "no table": ({**BARE, "users": "Client"}, "section [users] was expected"),
    "an unknown line": (changed("users", lable="Person"), "did you mean 'label'"),
    "a line without a similar name": (changed("users", zzz="a"), "expected one of: label, id"),
    "a missing line": (changed("products", id=None), "has no id; required: label, id"),
    "a number for a name": (changed("users", label=7), "label in [users] is 7; a text"),
    "an empty name": (changed("users", label=""), "a name of the graph was expected"),
    "a name with a zero": (changed("users", label="a\0b"), "a name of the graph was expected"),
    "a type of ids": (changed("users", id_type="float"), "one of text, integer"),
    "a unit of time": (changed("holdings", at_unit="years"), "one of milliseconds, seconds, date"),
    "a flag in quotes": (changed("holdings", exclusive="yes"), "true or false was expected"),
    "a direction": (changed("holdings", direction="left"), "one of out, in"),
    "a rating in words": (changed("holdings", least_rating="4"), "a number was expected"),
    "a rating without end": (changed("holdings", least_rating=float("nan")), "a number was"),
    "a least rating alone": (changed("holdings", rating=None), "least_rating and no rating"),
    "one label for both": (changed("products", label="Person"), "they need two labels"),
    "kinfolio's label": (changed("users", label="EmbeddingVersion"), "kinfolio's own label"),
    "kinfolio's property": (changed("users", id="gid"), "kinfolio's own property"),
    "kinfolio's vector": (changed("products", text="embedding_b"), "kinfolio's own property"),
    "reviews of neither kind": (changed("reviews", type=None), "[reviews] needs either type"),
    "reviews of both kinds": (changed("reviews", label="R"), "[reviews] needs either type"),
    "half a review": (changed("reviews", type=None, label="R"), "label, wrote and about together"),
    "one type for like and dislike": (
        changed("dismissals", type="RATED"),
        "holdings and dismissals are both 'RATED'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_invalid_mapping_is_a_one_sentence_error(case: str) -> None:
    content, words = WRONG[case]
    with pytest.raises(BadConfig) as raised:
        mapping_from(content)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_reported_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="kinfolio map init"):
        read_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[users\n", "is not TOML"),
        (b"\xff\xfe", "cannot be read"),
        (b"[users]\nlabel = 1\n", r"mapping.toml: label in \[users\] is 1"),
    ],
)
def test_an_invalid_file_is_reported_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_bytes(content)
    with pytest.raises(BadConfig, match=words):
        read_mapping(file)


def test_the_guide_lists_everything_that_kinfolio_writes() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text("utf-8")
    for name in (*own_properties(), OWN_LABEL, *OWN_TYPES):
        assert re.search(rf"[`:]{name}\b", guide), name


def test_the_example_in_the_guide_is_valid() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text("utf-8")
    block = re.search(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert block
    mapping = mapping_from(tomllib.loads(block[1]))
    assert mapping.products.id_type == "integer"
