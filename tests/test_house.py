"""The house: folders as the README draws them, imports one way, a light command line."""

from __future__ import annotations

import ast
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"cypher", "loaders", "gnn", "llm_explain", "cli"}
MAY_IMPORT = {
    "spine": set[str](),
    "cypher": set[str](),
    "loaders": {"cypher"},
    "gnn": {"cypher"},
    "llm_explain": {"cypher"},
    "cli": {"cypher", "loaders", "gnn", "llm_explain"},
}
HEAVY = ("torch", "neo4j", "langchain", "langchain_core", "pyarrow", "numpy", "rich")


def imported(path: Path) -> set[str]:
    """Names of all modules a file imports, wherever the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
    return names


def files_of(room: str) -> list[Path]:
    return sorted((ROOT / ("src/kinfolio" if room == "spine" else room)).glob("*.py"))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room: str) -> None:
    for path in files_of(room):
        for name in imported(path):
            parts = name.split(".")
            assert parts[0] not in ROOMS, f"{path} imports {name}: write kinfolio.{name}"
            if parts[0] == "kinfolio" and len(parts) > 1 and parts[1] in ROOMS - {room}:
                assert parts[1] in MAY_IMPORT[room], f"{path} may not import {name}"


def test_the_database_room_alone_speaks_to_the_driver() -> None:
    for room in set(MAY_IMPORT) - {"cypher"}:
        for path in files_of(room):
            spoken = {name.split(".")[0] for name in imported(path)} & {"neo4j", "py2neo"}
            assert not spoken, f"{path} imports {spoken}"


def test_the_tree_in_the_readme_is_the_tree_on_disk() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"```tree\n(.*?)```", readme, re.DOTALL)
    assert block, "the README has no ```tree block"
    drawn: set[str] = set()
    folder = ""
    for line in block[1].splitlines():
        name = line.split("  ")[0] if not line.startswith("  ") else line.strip().split("  ")[0]
        if not name.strip():
            continue
        if line.startswith("  "):
            drawn |= {f"{folder}{one}" for one in name.split(", ")}
        elif name.endswith("/"):
            folder = name
            drawn.add(name)
        else:
            drawn.add(name)
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    real: set[str] = set()
    for path in map(Path, tracked):
        top = path.parts[0]
        if path.parts[:2] == ("src", "kinfolio"):
            real.add("src/kinfolio/")
            if len(path.parts) == 3 and path.suffix == ".py" and path.name != "__init__.py":
                real.add(f"src/kinfolio/{path.name}")
        elif top in ROOMS | {"bench", "docs"}:
            real.add(f"{top}/")
            if path.suffix in (".py", ".toml", ".txt", ".md") and path.name != "__init__.py":
                real.add(str(path))
        elif top == "tests":
            real.add("tests/")
        elif not top.startswith("."):
            real.add(top)
    assert drawn == real


def test_help_starts_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom kinfolio.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert "recommend" in done.stdout
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 0.4, f"{spent:.2f} CPU seconds"


@pytest.mark.skipif(sys.platform != "linux", reason="torch brings another library elsewhere")
@pytest.mark.parametrize(("given", "spins"), [(None, False), ("ACTIVE", True)])
def test_threads_wait_without_spinning_unless_somebody_wants_them_to(
    given: str | None, spins: bool
) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    if given is not None:
        environment["OMP_WAIT_POLICY"] = given
    done = subprocess.run(
        [sys.executable, "-c", "import kinfolio.gnn.fit"],
        env=environment | {"OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=True,
    )
    # What torch's own library says that it was told.
    found = re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)
    assert found
    assert [int(count) > 0 for count in found] == [spins] * len(found)


def test_nothing_committed_names_this_machine_or_a_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    words = (
        "/work/" + "main",
        "/root" + "/",
        "pypi" + ".org",
        "repo1." + "maven",
        "pythonhosted" + ".org",
    )
    for name in tracked:
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            text = path.read_text("utf-8", errors="ignore")
            assert not [word for word in words if word in text], name


def test_every_command_shows_an_example_in_its_help() -> None:
    from kinfolio.cli.main import COMMANDS, cli

    for name in COMMANDS:
        found = cli.get_command(None, name)  # type: ignore[arg-type]  # the context is not used
        assert found is not None
        for one in [found, *getattr(found, "commands", {}).values()]:
            assert one.epilog, f"{name} {one.name} has no example"
            assert "kinfolio " in one.epilog
