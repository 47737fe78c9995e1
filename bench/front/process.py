"""`kinfolio serve` in a process of its own, and its clients."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Self

import httpx
import psutil

_ADDRESS = re.compile(r"open (http://[^/\s]+)")
UNLIMITED = ("--requests-per-second", "1000000")
TIMEOUT_SECONDS = 60


def kinfolio(*words: str) -> str:
    """Return the output of a command in the home of the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "kinfolio.cli", *words], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"kinfolio {' '.join(words)} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


class ServerProcess:
    """A server on a free port, with an analyst's token."""

    def __init__(self, options: Sequence[str] = UNLIMITED) -> None:
        self._options = options

    def __enter__(self) -> Self:
        self.token = json.loads(kinfolio("token", "add", "--role", "analyst", "--json"))["token"]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "kinfolio.cli", "serve", "--port", "0", *self._options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.child.stderr is not None
        for line in self.child.stderr:
            if found := _ADDRESS.search(line):
                self.address = found[1]
                break
        else:
            raise SystemExit("kinfolio serve ended before it told its address")
        self.process = psutil.Process(self.child.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.child.terminate()
        self.child.wait(30)

    def client(self) -> httpx.Client:
        """Return a client with one connection."""
        return httpx.Client(
            base_url=f"{self.address}/api/v1",
            headers={"authorization": f"Bearer {self.token}"},
            timeout=TIMEOUT_SECONDS,
        )

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def users(self, number: int) -> list[str]:
        """Return ids of users."""
        with self.client() as client:
            found: list[str] = []
            for prefix in ("", *(chr(code) for code in range(ord("0"), ord("z")))):
                matches: list[dict[str, Any]] = client.get("/users", params={"q": prefix}).json()[
                    "matches"
                ]
                found += [one["id"] for one in matches if one["id"] not in found]
                if len(found) >= number:
                    break
        return found[:number]
