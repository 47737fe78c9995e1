"""A small graph with a served version on the shared server, and commands with known outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from faults.commands import How
from faults.data import OPTIONS
from faults.runner import Place, World

from kinfolio.cypher.graph import Graph
from kinfolio.cypher.graph_hash import graph_hash
from kinfolio.snapshot import read_snapshot

USERS, PRODUCTS, HELD = 200, 40, 6
READS = ("recommend", "explain", "why-not", "similar", "show", "db hash")
ANSWERS = (*READS, "chat")
BY_VERSION = ("explain", "show")
"""The served version decides between equal wordings, and `show` lists its vectors."""
WRITES = ("load", "export", "writeback")


@dataclass
class Scene:
    """The graph, its files, two trained runs and the answers of an undisturbed server."""

    world: World
    folder: Path
    words: dict[str, tuple[str, ...]]
    answers: dict[str, str]
    content: str = ""
    """Hash of the graph."""
    snapshot: str = ""

    @property
    def uri(self) -> str:
        """Address of the server, which may have been started again."""
        return self.world.connection().uri

    def before(self, place: Place, command: str) -> None:
        """Record the undisturbed answer of the served version."""
        if command in BY_VERSION:
            self.answers[command] = place.done(*self.words[command]).stdout

    def again(self, place: Place, command: str) -> str:
        """Run a command undisturbed; its outcome must be the one without a fault."""
        how = How(stdin=STDIN.get(command, ""))
        answer = place.done(*self.words[command], how=how)
        if command in ANSWERS:
            given, expected = map(without_version, (answer.stdout, self.answers[command]))
            place.check(given == expected, f"another answer: {given} instead of {expected}")
            return "run again, it gives the undisturbed answer"
        if command == "export":
            run = place.folder / "run"
            place.check(read_snapshot(run / "snapshot").hash == self.snapshot, "another snapshot")
            return "run again, it gives the undisturbed snapshot"
        if command == "writeback":
            served = place.done(*self.words["recommend"]).stdout
            place.check(_products(served) == _products(self.answers["recommend"]), "other lists")
            return "run again, it gives the undisturbed lists"
        with Graph(self.world.connection()) as graph:
            place.check(graph_hash(graph) == self.content, "another graph")
        return "run again, it gives the undisturbed graph"


STDIN = {"chat": "what do you recommend?\n"}
_scenes: dict[int, Scene] = {}


def scene_of(place: Place) -> Scene:
    """Return the scene of the shared server, made on the first call."""
    place.use_server()
    found = _scenes.get(id(place.world))
    if found is None:
        found = _scenes[id(place.world)] = _make(place)
    return found


def _make(place: Place) -> Scene:
    folder = place.world.folder / "scene"
    files, run = folder / "files", str(folder / "run")
    files.mkdir(parents=True, exist_ok=True)
    rows = ["user,product,rating"]
    for user in range(USERS):
        rows += [f"u{user},p{(user * 7 + step * step) % PRODUCTS},5" for step in range(HELD)]
    (files / "interactions.csv").write_text("\n".join(dict.fromkeys(rows)) + "\n", "utf-8")
    names = [f"p{product},Product {product}" for product in range(PRODUCTS)]
    (files / "products.csv").write_text("\n".join(["product,name", *names]) + "\n", "utf-8")
    place.done("load", files)
    place.done("export", "--run", run)
    place.done("train", "--run", run, *OPTIONS, "--text", "off")
    place.done("writeback", "--run", run)
    product = place.done("recommend", "u1", "-k", "1", "--json").stdout
    best = product.partition('"product": "')[2].partition('"')[0]
    scene = Scene(
        world=place.world,
        folder=folder,
        words={
            "recommend": ("recommend", "u1", "--json"),
            "explain": ("explain", "u1", best, "--model", "none"),
            "why-not": ("why-not", "u1", best),
            "similar": ("similar", best),
            "show": ("show", "product", best),
            "db hash": ("db", "hash"),
            "chat": ("chat", "u1", "--model", "none"),
            "load": ("load", str(files)),
            "export": ("export", "--run", "run"),
            "writeback": ("writeback", "--run", run),
        },
        answers={},
    )
    for command in ANSWERS:
        answer = place.done(*scene.words[command], how=How(stdin=STDIN.get(command, "")))
        scene.answers[command] = answer.stdout
    scene.content = scene.answers["db hash"].strip()
    scene.snapshot = read_snapshot(Path(run) / "snapshot").hash
    return scene


def without_version(text: str) -> str:
    """Return an answer without the name of the version, which is a time."""
    return re.sub(r"\d{8}-\d{6}(-\d+)?", "", text)


def _products(document: str) -> str:
    return document.partition('"products"')[2]
