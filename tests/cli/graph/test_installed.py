import base64
import hashlib
from pathlib import Path

import pytest

from kinfolio.cli.graph.installed import damaged_files


def test_a_changed_and_a_missing_file_of_a_package_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, gone = tmp_path / "weights.bin", tmp_path / "gone.bin"
    weights.write_bytes(b"as installed")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"as installed").digest()).decode()
    folder = tmp_path / "small_model-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: small-model\nVersion: 1.0\n")
    (folder / "RECORD").write_text(
        f"weights.bin,sha256={digest.rstrip('=')},12\nsmall_model-1.0.dist-info/RECORD,,\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert damaged_files("small-model") == []
    weights.write_bytes(b"as installeD")
    assert damaged_files("small-model") == [weights]
    with (folder / "RECORD").open("a") as record:
        record.write(f"gone.bin,sha256={digest.rstrip('=')},12\n")
    assert damaged_files("small-model") == [weights, gone]
