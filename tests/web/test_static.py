"""Files that browsers load: bundled, and those whose hashes the pages name."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha384
from importlib.resources import files

import pytest

from kinfolio.web.pages.rendering import INTEGRITY


@pytest.mark.parametrize("name", sorted(INTEGRITY))
def test_a_bundled_script_has_the_hash_that_pages_name(name: str) -> None:
    content = files("kinfolio.web").joinpath("static", name).read_bytes()
    assert INTEGRITY[name] == f"sha384-{b64encode(sha384(content).digest()).decode()}"


def test_templates_have_no_inline_style_script_or_handler() -> None:
    def texts(folder: str) -> list[str]:
        found = []
        for one in files("kinfolio.web").joinpath(folder).iterdir():
            if one.is_dir():
                found += texts(f"{folder}/{one.name}")
            else:
                found.append(one.read_text("utf-8"))
        return found

    for text in texts("templates"):
        for refused in (" style=", "<style", "<script>", "hx-on", "js:", " onclick="):
            assert refused not in text
