"""Servers that are killed, paused or started again, and commands that are interrupted."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing

import psutil
from faults.commands import How, start
from faults.runner import Place, fault
from faults.scene import STDIN, Scene, scene_of

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.server.server import Server

KILLED, PAUSED, INTERRUPTED, HOME, INDEX = (
    "server killed",
    "server paused",
    "Ctrl-C",
    "home",
    "index",
)
MOMENTS = 20
DURING = ("load", "export", "writeback", "recommend", "explain", "chat", "recommend --all")
TRIES = 4
"""A command may end before its moment: it is faster when the server has planned its statements."""


def _managed(place: Place, scene: Scene) -> dict[str, str]:
    """Return the environment in which the shared server is kinfolio's own."""
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD"):
        place.env.pop(name, None)
    return {"KINFOLIO_HOME": str(scene.world.home)}


def _process(scene: Scene) -> psutil.Process:
    file = scene.world.home / "server" / "process.json"
    return psutil.Process(json.loads(file.read_text())["pid"])


def _words(scene: Scene, command: str) -> tuple[str, ...]:
    if command == "recommend --all":
        return ("recommend", "--all", "--out", "lists.tsv")
    return scene.words[command]


def _prepare(place: Place, scene: Scene, command: str) -> None:
    if command == "load":
        with open_driver(scene.world.connection()) as driver, driver.session() as session:
            session.run("MATCH (n) WHERE NOT n:EmbeddingVersion DETACH DELETE n").consume()


def _duration(place: Place, scene: Scene, command: str) -> float:
    _prepare(place, scene, command)
    how = How(stdin=STDIN.get(command, ""))
    return place.done(*_words(scene, command), how=how).seconds


def _restore_lists(place: Place, scene: Scene, command: str) -> None:
    if command == "load":  # a new graph has no vectors
        place.done(*scene.words["writeback"])


def _whole(place: Place, scene: Scene, command: str) -> str:
    if command == "recommend --all":
        place.done(*_words(scene, command))
        return "run again, it writes all lists"
    return scene.again(place, command)


def _server_fault(command: str, is_started_again: bool) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        scene = scene_of(place)
        place.env |= _managed(place, scene)
        scene.before(place, command)
        seconds = _duration(place, scene, command)

        def act() -> None:
            if is_started_again:
                Server(scene.world.home).stop()
                Server(scene.world.home).start(lambda text: None)
            else:
                server = _process(scene)
                server.kill()
                server.wait()

        for _ in range(TRIES):
            _prepare(place, scene, command)
            how = How(stdin=STDIN.get(command, ""), after=0.4 * seconds, act=act)
            answer = place.kinfolio(*_words(scene, command), how=how)
            if answer.was_stopped:
                break
            seconds = answer.seconds
        place.check(answer.was_stopped, "it had ended")
        place.check(answer.code in (0, 1), f"exit code {answer.code}")
        holds = _whole(place, scene, command)
        _restore_lists(place, scene, command)
        return f"the next command starts the server; {holds}"

    verb = "stopped and started again" if is_started_again else "killed (-9)"
    cause.__doc__ = f"kinfolio's own server is {verb} in the middle"
    return cause


def _paused(command: str) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        scene = scene_of(place)
        scene.before(place, command)
        process = _process(scene)
        process.suspend()
        try:
            place.refused(
                *_words(scene, command),
                says="does not answer within 1 s|stopped answering",
                how=How(env={"KINFOLIO_TIMEOUT": "1"}, stdin=STDIN.get(command, "")),
            )
        finally:
            process.resume()
        return f"after the pause: {_whole(place, scene, command)}"

    cause.__doc__ = "The server is paused (SIGSTOP)"
    return cause


def _interrupted(command: str) -> Callable[[Place], str]:
    def cause(place: Place) -> str:
        scene = scene_of(place)
        seconds = min(_duration(place, scene, command) for _ in range(2))
        seen, holds = "", ""
        for moment in range(1, MOMENTS + 1):
            _prepare(place, scene, command)
            how = How(after=seconds * moment / (MOMENTS + 1), signal=signal.SIGINT)
            answer = place.kinfolio(*_words(scene, command), how=how)
            said = f"moment {moment}, exit code {answer.code}: {answer.stderr[-300:]}"
            place.check(answer.code in (0, 130), said)
            seen = place.seen or seen
            holds = _whole(place, scene, command)
        _restore_lists(place, scene, command)
        place.seen = seen
        return f"each time: {holds}"

    cause.__doc__ = f"Ctrl-C, at {MOMENTS} moments of its duration one after another"
    return cause


for _command in DURING:
    fault(KILLED, _command, server=True)(_server_fault(_command, is_started_again=False))
for _command in DURING[:4]:
    fault(KILLED, _command, server=True)(_server_fault(_command, is_started_again=True))
for _command in DURING:
    fault(PAUSED, _command, server=True)(_paused(_command))
for _command in DURING[:3]:
    fault(INTERRUPTED, _command, server=True)(_interrupted(_command))


@fault(INDEX, "recommend", server=True)
def index_missing(place: Place) -> str:
    """The vector index is missing."""
    scene = scene_of(place)
    with open_driver(scene.world.connection()) as driver, driver.session() as session:
        for row in session.run("SHOW VECTOR INDEXES YIELD name").data():
            session.run(f"DROP INDEX {row['name']}").consume()
    answer = place.done(*scene.words["recommend"])
    place.check(answer.stdout.partition('"products"')[2] != "", "no list")
    place.done(*scene.words["writeback"])
    return "the list is computed without it; writeback creates it again"


@fault(HOME, "db start", server=True)
def two_servers(place: Place) -> str:
    """Two commands start the server of one home at the same time."""
    scene = scene_of(place)
    place.env |= _managed(place, scene)
    Server(scene.world.home).stop()
    both = [start(["db", "start"], place.folder, How(env=place.env)) for _ in range(2)]
    answers = [one.wait() for one in both]
    place.check([one.code for one in answers] == [0, 0], answers[0].stderr + answers[1].stderr)
    place.check(answers[0].stdout == answers[1].stdout, "two addresses")
    return "one server"


@fault(HOME, "db start", server=True)
def port_taken(place: Place) -> str:
    """The port is taken by another program."""
    scene = scene_of(place)
    place.env |= _managed(place, scene)
    port = int(scene.uri.rpartition(":")[2])
    Server(scene.world.home).stop()
    with closing(socket.create_server(("127.0.0.1", port))):
        place.warned("db", "start", says="is in use")
    return scene.again(place, "recommend")


@fault(HOME, "db status", server=True)
def pid_reused(place: Place) -> str:
    """The pid file names another program, as after a crash of the machine."""
    scene = scene_of(place)
    place.env |= _managed(place, scene)
    file = scene.world.home / "server" / "process.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "pid": os.getpid()}))
    place.done("db", "start")
    place.check(json.loads(file.read_text())["pid"] == content["pid"], "another server")
    return "the running server is found by its arguments"


@fault(HOME, "db start", server=True)
def newer_graph(place: Place) -> str:
    """The graph was written by a newer Neo4j."""
    store = place.folder / "home" / "server" / "store.json"
    store.parent.mkdir(parents=True)
    store.write_text('{"version": "2031.01.0"}')
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD"):
        place.env.pop(name, None)
    place.refused("db", "start", says="of Neo4j 2031.01.0, and this kinfolio runs the older")
    return "nothing was started or changed"
