"""Exit codes, version and completion."""

from __future__ import annotations

from importlib.metadata import version

from tests.conftest import run_command


def test_the_version_is_that_of_the_package() -> None:
    assert run_command("--version").stdout == f"kinfolio {version('kinfolio')}\n"


def test_an_unknown_command_is_a_usage_error() -> None:
    result = run_command("recomend")
    assert result.exit_code == 2
    assert "No such command 'recomend'" in result.stderr


def test_completion_knows_the_commands() -> None:
    result = run_command("completion", "bash")
    assert result.exit_code == 0
    assert "_KINFOLIO_COMPLETE=bash_complete" in result.stdout
