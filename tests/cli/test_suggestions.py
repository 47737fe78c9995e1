"""Commands that messages suggest can be pasted into a shell."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from kinfolio.errors import shell_command
from tests.conftest import Cli, run_command, write_six_users

ROOT = Path(__file__).parents[2]


def test_a_suggested_command_quotes_what_a_shell_would_split() -> None:
    for folder in ("my data (1)", "it's", "-x", "a;b", "$HOME", "plain"):
        words = shlex.split(shell_command("load", "--split", "time:0.1", Path(folder)))
        assert words[:4] == ["kinfolio", "load", "--split", "time:0.1"]
        assert words[4].removeprefix("./") == folder
        assert not words[4].startswith("-")


def test_no_message_puts_a_path_into_a_command_as_it_is() -> None:
    unquoted = re.compile(r"kinfolio [a-z][^\"'`]*\{[\w.]*(folder|path|file|parent)[\w.]*\}")
    for package in ("cypher", "loaders", "gnn", "llm_explain", "api", "cli", "src/kinfolio"):
        for path in (ROOT / package).rglob("*.py"):
            if path.is_relative_to(ROOT / package) and not any(
                part.is_symlink() for part in path.parents
            ):
                assert not unquoted.search(path.read_text("utf-8")), path


def test_hints_of_commands_quote_the_folder(cli: Cli, tmp_path: Path) -> None:
    folder = write_six_users(tmp_path / "my data (1)")
    hint = run_command("load", "--check", str(folder)).stderr.splitlines()[-1]
    assert shlex.split(hint.partition("next: ")[2]) == ["kinfolio", "load", str(folder)]
    refused = run_command("train", "--run", str(tmp_path / "my run"))
    assert refused.exit_code == 1
    words = shlex.split(refused.stderr.partition("type: ")[2].replace("it's", "its"))
    assert words == ["kinfolio", "export", "--run", str(tmp_path / "my run")]
    mapping = tmp_path / "a b.toml"
    refused = cli("recommend", "u1", "--mapping", str(mapping))
    assert refused.stderr.rstrip().endswith(f"kinfolio map init '{mapping}'")
