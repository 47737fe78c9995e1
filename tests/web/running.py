"""A running server of a test, and requests to it that no client library corrects."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from kinfolio.cypher.graph import Graph
from kinfolio.web.access.sessions import COOKIE
from kinfolio.web.server import bind, make_server, open_site
from kinfolio.web.settings import Settings
from kinfolio.web.site import Site

API = "/api/v1"
ME, OTHER = "people", "bond"
"""Users of the two customers."""
ODD = "a/b c%2Fd 'é\" ✓"
"""Id of a user and of a product."""
FORMULA = "=1+1"
"""Id of a user."""
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>'\">"
"""Name of the user and of the product `ODD`."""
CALLERS = {"analyst": None, "admin": None, "customer": ME, "other": OTHER, "odd": ODD}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        """The session's secret that the response sets."""
        return self.headers.get("set-cookie", "").partition(f"{COOKIE}=")[2].partition(";")[0]


class Web:
    """A server, and a token of each caller."""

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.port = port
        self.secrets = {
            name: site.tokens.add("customer" if user else _role(name), user=user, name=name)[1]
            for name, user in CALLERS.items()
        }

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        caller: str | None = "analyst",
        cookie: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request as it is: the path and the headers are not changed.

        `body`: bytes are sent as they are, other values as JSON. `caller`: whose token is sent.
        """
        sent = dict(headers or {})
        if caller is not None:
            sent.setdefault("Authorization", f"Bearer {self.secrets[caller]}")
        if cookie is not None:
            sent.setdefault("Cookie", f"{COOKIE}={cookie}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            if body is not None and "Transfer-Encoding" not in sent:
                sent.setdefault("Content-Length", str(len(body)))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> Answer:
        return self.send("POST", path, body, **options)

    def sign_in(self, caller: str = "analyst") -> str:
        """Open a session as a browser does; return the secret of its cookie."""
        form = f"token={self.secrets[caller]}".encode()
        answer = self.post("/login", form, caller=None, headers=FORM | OWN_SITE)
        assert answer.status == 303, answer.text
        return answer.cookie


@contextmanager
def served(environment: Mapping[str, str], *options: str) -> Iterator[tuple[str, list[str]]]:
    """Run `kinfolio serve` on a free port; yield the printed address, and at the end all lines."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kinfolio.cli", "serve", "--port", "0", *options],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"http://[\d.:]+\S*", line):
                break
        assert found, lines
        yield found[0], lines
    finally:
        process.send_signal(signal.SIGINT)
        lines += process.communicate(timeout=30)[1].splitlines()
        assert process.returncode in (0, 130), lines


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OWN_SITE = {"Sec-Fetch-Site": "same-origin"}


def _role(name: str) -> Any:
    return name


@contextmanager
def running(graph: Graph, home: Path, models: Path, **settings: Any) -> Iterator[Web]:
    """Run a server in a thread on a free port; its models are those of the run."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models)
    values = {"requests_per_second": 10_000.0, **settings}
    notes: list[str] = []
    with (
        bind("127.0.0.1", 0) as listening,
        open_site(
            graph, Settings(home=home, **values), model="none", rules=(), tell=notes.append
        ) as site,
    ):
        server = make_server(site)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Web(site, listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(20)
