"""The short form of the table of faults: `python bench/faults` causes all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_faults_are_told_in_one_sentence_and_leave_everything_whole() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench/faults"), "--short"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clear and whole" in done.stdout
