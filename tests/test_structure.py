"""Structure: small folders, files and functions, imports one way, a light command line."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRONT_DOOR = ROOT / "src/kinfolio/__init__.py"
"""Offers the names of the API and imports them on first use."""
PACKAGES = {"cypher", "loaders", "gnn", "llm_explain", "api", "cli", "web"}
MAY_IMPORT = {
    "spine": set[str](),
    "cypher": set[str](),
    "loaders": {"cypher"},
    "gnn": {"cypher"},
    "llm_explain": {"cypher", "gnn"},
    "api": {"cypher", "loaders", "gnn", "llm_explain"},
    "web": {"cypher", "loaders", "gnn", "llm_explain", "api"},
    "cli": {"cypher", "loaders", "gnn", "llm_explain", "api", "web"},
}
HEAVY = ("torch", "neo4j", "langchain", "langchain_core", "pyarrow", "numpy", "rich")


def imported(path: Path) -> set[str]:
    """Names of all modules a file imports, inside functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
    return names


def files_of(package: str) -> list[Path]:
    if package == "spine":
        return sorted((ROOT / "src/kinfolio").glob("*.py"))
    return sorted((ROOT / package).rglob("*.py"))


def tracked() -> list[Path]:
    """All files of the project, relative to its root."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in done.stdout.split("\n") if (ROOT / name).is_file() and name]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    for path in files_of(package):
        for name in imported(path):
            parts = name.split(".")
            assert parts[0] not in PACKAGES, f"{path} imports {name}: write kinfolio.{name}"
            if path == FRONT_DOOR and name == "kinfolio.api.connect":
                continue
            if parts[0] == "kinfolio" and len(parts) > 1 and parts[1] in PACKAGES - {package}:
                assert parts[1] in MAY_IMPORT[package], f"{path} may not import {name}"


def test_only_one_command_imports_the_server() -> None:
    for path in files_of("cli"):
        if any(name.startswith("kinfolio.web") for name in imported(path)):
            assert path == ROOT / "cli/serve.py"


def test_only_cypher_imports_the_driver() -> None:
    for package in set(MAY_IMPORT) - {"cypher"}:
        for path in files_of(package):
            drivers = {name.split(".")[0] for name in imported(path)} & {"neo4j", "py2neo"}
            assert not drivers, f"{path} imports {drivers}"


def test_explanations_import_only_the_serving_package_of_gnn() -> None:
    for path in files_of("llm_explain"):
        for name in imported(path):
            if name.startswith("kinfolio.gnn"):
                assert name.startswith("kinfolio.gnn.serving"), f"{path} may not import {name}"


@pytest.mark.parametrize("package", sorted(PACKAGES - {"api", "cli"}))
def test_packages_do_not_import_each_other_in_a_cycle(package: str) -> None:
    def unit(parts: list[str]) -> str:
        return parts[2] if len(parts) > 2 else ""

    uses: dict[str, set[str]] = {}
    for path in files_of(package):
        inside = path.relative_to(ROOT / package).with_suffix("").parts
        if inside != ("__init__",):
            found = {
                unit(n.split(".")) for n in imported(path) if n.startswith(f"kinfolio.{package}.")
            }
            uses.setdefault(inside[0], set()).update(found - {inside[0], ""})
    while free := [name for name, needed in uses.items() if not needed & set(uses)]:
        for name in free:
            del uses[name]
    assert not uses, {name: needed & set(uses) for name, needed in uses.items()}


def test_the_tree_in_the_docs_is_the_tree_on_disk() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    block = re.search(r"```tree\n(.*?)```", text, re.DOTALL)
    assert block, "docs/architecture.md has no ```tree block"
    drawn = [line.split()[0] for line in block[1].splitlines()]
    tops = PACKAGES | {"src", "tests", "bench", "docs"}
    flat = ("cypher/statements", "tests", "bench", "docs")
    real = set()
    for path in tracked():
        folder = path.parent.as_posix()
        if path.parts[0] in tops and path.suffix not in ("", ".svg"):
            real.add(f"{next((one for one in flat if folder.startswith(one)), folder)}/")
    assert sorted(real) == sorted(drawn)


def test_a_folder_holds_at_most_twelve_files() -> None:
    counts: dict[Path, int] = {}
    for path in tracked():
        if (
            path.parts[0] in PACKAGES | {"src", "tests", "docs", "bench"}
            and path.name != "__init__.py"
        ):
            counts[path.parent] = counts.get(path.parent, 0) + 1
    assert not {str(folder): count for folder, count in counts.items() if count > 12}


def functions() -> Iterator[tuple[str, int, int]]:
    """Name as `folder/file.py:function`, lines and number of parameters of each function."""
    for path in tracked():
        if path.suffix == ".py" and path.parts[0] in PACKAGES | {"src", "bench"}:
            for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                    number = len([one for one in arguments if one.arg not in ("self", "cls")])
                    lines = (node.end_lineno or 0) - node.lineno + 1
                    yield f"{path.as_posix()}:{node.name}", lines, number


def test_functions_have_at_most_60_lines_and_seven_arguments() -> None:
    large = {name for name, lines, number in functions() if lines > 60 or number > 7}
    assert not large


def test_modules_have_at_most_300_lines() -> None:
    large = {
        path.as_posix()
        for path in tracked()
        if path.suffix == ".py"
        and path.parts[0] in PACKAGES | {"src", "bench"}
        and len((ROOT / path).read_text("utf-8").splitlines()) > 300
    }
    assert not large


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys\nfrom kinfolio.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "recommend" in done.stdout


def test_commands_print_through_the_output_module_only() -> None:
    banned = {"print", "click.echo", "click.secho", "click.confirm", "click.prompt", "Console"}
    banned |= {"sys.stdout.write", "sys.stderr.write", "error.show"}
    for path in files_of("cli"):
        if path.name != "output.py":
            calls = (
                n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)
            )
            found = {ast.unparse(call.func) for call in calls} & banned
            assert not found, f"{path} calls {found}: use kinfolio.cli.output"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="torch uses another OpenMP library elsewhere")
@pytest.mark.parametrize(("policy", "spins"), [(None, False), ("ACTIVE", True)])
def test_threads_wait_passively_unless_the_environment_sets_a_policy(
    policy: str | None, spins: bool
) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    if policy is not None:
        environment["OMP_WAIT_POLICY"] = policy
    done = subprocess.run(
        [sys.executable, "-c", "import kinfolio.gnn.training.head_trainer"],
        env=environment | {"OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=True,
    )
    # Settings printed by torch's OpenMP library.
    found = re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)
    assert found
    assert [int(count) > 0 for count in found] == [spins] * len(found)


def test_no_tracked_file_names_this_machine_or_a_registry() -> None:
    words = (
        "/work/" + "main",
        "/root" + "/",
        "pypi" + ".org",
        "repo1." + "maven",
        "pythonhosted" + ".org",
    )
    for name in tracked():
        path = ROOT / name
        if not path.is_symlink():
            text = path.read_text("utf-8", errors="ignore")
            assert not [word for word in words if word in text], name
