"""`kinfolio watch`: a line for each refresh, until it is asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kinfolio.api.refreshing.records import parse_interval, parse_share
from kinfolio.cypher.graph import Graph
from kinfolio.errors import BadConfig
from kinfolio.records import Connection
from tests.api.refreshing.worlds import serve
from tests.conftest import environment_of


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_repeats_the_refresh_and_ends_without_an_error(
    number: signal.Signals, graph: Graph, tmp_path: Path, server: Connection
) -> None:
    run = serve(graph, tmp_path)
    words = ("watch", "--every", "1s", "--run")
    for folder, told in ((run.folder, "nothing new since"), (tmp_path, "failed: the run of")):
        watch = subprocess.Popen(
            [sys.executable, "-m", "kinfolio.cli", *words, str(folder)],
            env=os.environ | environment_of(server, tmp_path / f"home of {folder.name}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert watch.stdout is not None
        lines = [watch.stdout.readline() for _ in range(2)]
        watch.send_signal(number)
        _, errors = watch.communicate()
        assert watch.returncode == 0, errors
        assert all(told in line for line in lines), lines
        assert "Traceback" not in errors
        assert "the watch ended" in errors


def test_times_and_shares() -> None:
    assert [parse_interval(text) for text in ("30s", "10m", "1.5 h")] == [30, 600, 5400]
    assert [parse_share(text) for text in ("1%", "0.5 %", "100%")] == [0.01, 0.005, 1]
    for text in ("10", "0s", "-1m", "soon"):
        with pytest.raises(BadConfig, match="--every is"):
            parse_interval(text)
    for text in ("1", "101%", "-1%", ""):
        with pytest.raises(BadConfig, match="--at-least is"):
            parse_share(text)
