"""Exit codes, suggestions, version and completion."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.conftest import run_command


def test_the_version_is_that_of_the_package() -> None:
    assert run_command("--version").stdout == f"kinfolio {version('kinfolio')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("recomend",), "No such command 'recomend'. Did you mean 'recommend'?"),
        (("db", "sttaus"), "No such command 'sttaus'. Did you mean 'status'?"),
        (("versions", "rolback"), "No such command 'rolback'. Did you mean 'rollback'?"),
        (
            ("recommend", "u1", "--jsn"),
            "No such option '--jsn'. (Did you mean one of: '--json', '--log-json'?)",
        ),
        (("xyzzy",), "No such command 'xyzzy'."),
    ],
)
def test_a_mistyped_word_is_a_usage_error_with_a_suggestion(
    arguments: tuple[str, ...], message: str
) -> None:
    result = run_command(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: {message}"


@pytest.mark.parametrize("name", ["-x", "-5", "-user"])
def test_an_id_that_begins_with_a_dash_is_explained(name: str) -> None:
    result = run_command("recommend", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"comes after two dashes: kinfolio recommend -- {name[:2]}" in result.stderr
    # After the dashes it is an id: the mapping is read before any graph.
    asked = run_command("recommend", "--mapping", "no such file", "--", name)
    assert asked.exit_code == 1
    assert "no such file does not exist" in asked.stderr


def test_the_completion_script_is_printed() -> None:
    result = run_command("completion", "bash")
    assert result.exit_code == 0
    assert "_KINFOLIO_COMPLETE=bash_complete" in result.stdout
