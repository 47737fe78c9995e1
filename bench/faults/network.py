"""Connections that are cut or silent, and addresses that are wrong."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing

from faults.commands import How
from faults.runner import Place, fault
from faults.scene import ANSWERS, STDIN, WRITES, Scene, scene_of, without_version

from tests.proxy import Fault, proxy_to

NETWORK, ADDRESS = "network", "address"
LONGEST_SECONDS = 30.0
CUT = "the connection to .* was cut|nothing listens"
SILENT = "does not answer within 1 s|stopped answering"


def _through(command: str, kind: Fault, limit: int, says: str) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        scene = scene_of(place)
        words = scene.words[command]
        scene.before(place, command)
        started = time.monotonic()
        with proxy_to(scene.uri, kind, limit) as proxy:
            env = {"NEO4J_URI": proxy.uri, "KINFOLIO_TIMEOUT": "1"}
            place.refused(*words, says=says, how=How(env=env, stdin=STDIN.get(command, "")))
        seconds = time.monotonic() - started
        place.check(seconds < LONGEST_SECONDS, f"{seconds:.0f} s")
        return f"told after {seconds:.0f} s; {scene.again(place, command)}"

    cause.__doc__ = (
        f"The connection is {'cut' if kind == 'reset' else 'silent'} after {limit:,} bytes"
    )
    return cause


_CASES: tuple[tuple[Fault, int, str], ...] = (
    ("reset", 50, CUT),
    ("reset", 800, CUT),
    ("mute", 20, SILENT),
)
for _command in (*ANSWERS, *WRITES):
    for _kind, _limit, _says in _CASES:
        fault(NETWORK, _command, server=True)(_through(_command, _kind, _limit, _says))
for _command in WRITES:
    fault(NETWORK, _command, server=True)(_through(_command, "reset", 6_000, CUT))
    fault(NETWORK, _command, server=True)(_through(_command, "mute", 6_000, SILENT))


@fault(NETWORK, "recommend", server=True)
def cut_once(place: Place) -> str:
    """The connection is cut once, after 3,000 bytes."""
    scene = scene_of(place)
    with proxy_to(scene.uri, "reset", 3_000, times=1) as proxy:
        answer = place.done(*scene.words["recommend"], how=How(env={"NEO4J_URI": proxy.uri}))
    same = without_version(answer.stdout) == without_version(scene.answers["recommend"])
    place.check(same, "another answer")
    return "read again; the answer is the undisturbed one"


def _refused(says: str, env: Callable[[Scene], dict[str, str]]) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        scene = scene_of(place)
        place.refused(*scene.words["recommend"], says=says, how=How(env=env(scene)))
        return "nothing was changed"

    return cause


def _closed_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
    return port


for _name, _says, _env in (
    (
        "The port is wrong",
        "nothing listens at",
        lambda scene: {"NEO4J_URI": f"bolt://127.0.0.1:{_closed_port()}"},
    ),
    ("The password is wrong", "refused the password", lambda scene: {"NEO4J_PASSWORD": "wrong"}),
    (
        "The scheme is wrong",
        "is not an address",
        lambda scene: {"NEO4J_URI": scene.uri.replace("bolt", "http")},
    ),
    (
        "The server does not encrypt and the address says so",
        "no secure connection",
        lambda scene: {"NEO4J_URI": scene.uri.replace("bolt", "bolt+s")},
    ),
    (
        "The database does not exist",
        "has no database 'shop'",
        lambda scene: {"NEO4J_DATABASE": "shop"},
    ),
    (
        "The host does not exist",
        "the host of .* is unknown",
        lambda scene: {"NEO4J_URI": "bolt://no-such-host.invalid:7687"},
    ),
    (
        "The time-out is not a number",
        "is 'soon'; give a positive number",
        lambda scene: {"KINFOLIO_TIMEOUT": "soon"},
    ),
):
    _cause = _refused(_says, _env)
    _cause.__doc__ = _name
    fault(ADDRESS, "recommend", server=True)(_cause)
