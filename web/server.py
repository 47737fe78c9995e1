"""Run the server: open the graph and the models once, bind the address, answer until stopped."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from threading import Lock, Thread

import uvicorn

from kinfolio.cypher.graph import Graph
from kinfolio.environment import contact, deployment
from kinfolio.errors import BadConfig, KinfolioError
from kinfolio.events.log import EventLog
from kinfolio.gnn.serving.rules import Rule
from kinfolio.llm_explain.conversation.reading import Routes
from kinfolio.llm_explain.conversation.router import Route, load_router
from kinfolio.llm_explain.memory.checkpointers import open_file
from kinfolio.llm_explain.wording.clauses import load_clauses
from kinfolio.llm_explain.wording.writers import writers_for
from kinfolio.web.app import make_app
from kinfolio.web.records import Wording
from kinfolio.web.service import Service
from kinfolio.web.settings import Settings
from kinfolio.web.site import Site

Tell = Callable[[str], None]
LANGUAGES = ("en", "de")
BROWSER = "browser"
"""Name of the token that the first start creates."""
_STOP_SECONDS = 5
_SWITCH_SECONDS = 0.0005
"""A thread that computes lets others run after this time. After Python's 5 ms the event loop would
wait for several of the 8 conversations in turn, before each step of every answer."""


class _LoadedRouter:
    """The router of conversations, loaded beside the first requests: its imports take seconds."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "models"
        self._router: Routes | None = None
        self._lock = Lock()

    def start(self) -> None:
        """Begin to load it in a thread; an error appears with the first line of a conversation."""

        def load() -> None:
            with suppress(KinfolioError):
                self._load()

        Thread(target=load, name="router", daemon=True).start()

    def route(self, text: str) -> Route:
        return self._load().route(text)

    def _load(self) -> Routes:
        with self._lock:
            self._router = self._router or load_router(self._folder)
        return self._router


def serve(
    graph: Graph,
    settings: Settings,
    address: tuple[str, int],
    *,
    model: str | None,
    rules: Sequence[Rule],
    tell: Tell,
) -> None:
    """Answer requests until Ctrl-C.

    Args:
        graph: open; it stays open.
        settings: of the server.
        address: host and port.
        model: writer of explanations, as for `kinfolio explain`.
        rules: own rules.
        tell: called with the address and the one-time link.

    Raises:
        BadConfig: the address cannot be used.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    with (
        bind(*address) as listening,
        open_site(graph, settings, model=model, rules=rules, tell=tell) as site,
    ):
        announce(site, listening, tell)
        make_server(site).run(sockets=[listening])


@contextmanager
def open_site(
    graph: Graph, settings: Settings, *, model: str | None, rules: Sequence[Rule], tell: Tell
) -> Iterator[Site]:
    """Open the writers and the conversations of the home for one server."""
    with open_file(settings.home / "chat") as conversations:
        wording = Wording(
            writers_for(model, settings.home / "models", tell),
            {one: load_clauses(one).for_deployment(**asdict(deployment())) for one in LANGUAGES},
            is_shared=model in (None, "", "embedded"),
            contact=contact(),
        )
        router = _LoadedRouter(settings)
        service = Service(
            graph,
            wording,
            rules=rules,
            router=router,
            conversations=conversations,
            events=EventLog(settings.home),
            run=settings.run,
        )
        router.start()
        try:
            yield Site.create(settings, service)
        finally:
            service.drift.stop()


def make_server(site: Site) -> uvicorn.Server:
    """Return the HTTP server of a site."""
    config = uvicorn.Config(
        make_app(site),
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    return uvicorn.Server(config)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        BadConfig: it is in use, or no address of this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio does this only for sockets it creates; without it each answer waits 40 ms for the
        # client's delayed acknowledgement (Nagle's algorithm). Connections inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadConfig(
            f"port {port} of {host} cannot be used ({reason}); give another --port or --host"
        ) from error


def announce(site: Site, listening: socket.socket, tell: Tell) -> None:
    """Tell the address; on a terminal, or at the first start, with a one-time link.

    The link signs in as the administrator `BROWSER`, whose token is created if needed: who reads
    the terminal could create one as well. A log may have other readers.
    """
    host, port = listening.getsockname()[:2]
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    tokens = site.tokens.list()
    if tokens and not sys.stderr.isatty():
        tell(f"open {base} and sign in with a token; kinfolio token list names them")
        return
    named = [one for one in tokens if one.name == BROWSER and one.role == "admin"]
    token = named[0] if named else site.tokens.add("admin", name=BROWSER)[0]
    tell(f"open {base}/start/{site.sessions.create_link(token.id)}")
    tell("the link signs in one browser as administrator, once, within an hour; Ctrl-C stops")
