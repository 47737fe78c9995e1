"""What is fuzzed: functions that take bytes and may raise a KinfolioError, and nothing else."""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from kinfolio.errors import KinfolioError

Target = Callable[[bytes], None]

OTHERS = {
    "users": "user\tname\nu1\tAnn\nu2\t\n",
    "products": "product\tname\trisk\na\tAmber Fund\t1\nb\t\t\n",
    "interactions": "user\tproduct\nu1\ta\nu2\tb\n",
    "reviews": "review\tuser\tproduct\ttext\nr1\tu1\ta\tgood\n",
    "ties": "source\ttarget\nu1\tu2\n",
    "events": "user\tproduct\tkind\ttimestamp\nu1\tb\theld\t2024-05-01\n",
}
"""Valid tables; a fuzzed file takes the place of one."""


@cache
def scratch() -> Path:
    """A folder in memory where there is one: every input is a file."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="kinfolio-fuzz-", dir=memory if memory.is_dir() else None))


def _load(ending: str, data: bytes) -> None:
    """Read a folder with a file of these bytes; the first byte chooses the table."""
    from kinfolio.loaders.reading.staging import stage
    from kinfolio.records import no_progress

    folder = scratch() / "folder"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in OTHERS.items():
        (folder / f"{name}.tsv").write_text(text)
    table = list(OTHERS)[data[0] % len(OTHERS)] if data else "interactions"
    (folder / f"{table}.tsv").unlink()
    (folder / f"{table}.{ending}").write_bytes(data[1:])
    work = scratch() / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    staged = stage(folder, work, known_users=lambda _: (), progress=no_progress)
    for texts in (staged.users, staged.products):
        for text in texts.to_pylist() if hasattr(texts, "to_pylist") else list(texts):
            assert str(text).strip(), "an id is empty"
            str(text).encode()
    for name in staged.tables:
        for _ in staged.batches(name):
            pass


def tsv(data: bytes) -> None:
    """A tab-separated table."""
    _load("tsv", data)


def csv(data: bytes) -> None:
    """A comma-separated table."""
    _load("csv", data)


def jsonl(data: bytes) -> None:
    """A table of JSON lines."""
    _load("jsonl", data)


def parquet(data: bytes) -> None:
    """A Parquet table."""
    _load("parquet", data)


def gz(data: bytes) -> None:
    """A compressed table: raw bytes, or bytes that are compressed and cut by the second one."""
    if len(data) < 3 or data[1] % 2:
        _load("csv.gz", data[:1] + data[2:])
        return
    packed = gzip.compress(data[2:], 1)
    _load("csv.gz", data[:1] + packed[: len(packed) - data[1] // 2])


def mapping(data: bytes) -> None:
    """A mapping, and a statement rewritten by it."""
    from kinfolio.cypher.mapping.names import read_mapping
    from kinfolio.cypher.queries import query

    file = scratch() / "mapping.toml"
    file.write_bytes(data)
    found = read_mapping(file)
    for name in ("recommend_exact", "export_holdings", "explain_pair"):
        query.__wrapped__(name, "b", found)


def rule(data: bytes) -> None:
    """A custom rule, as it is read before the server plans it."""
    from kinfolio.gnn.serving import rules

    file = scratch() / "adults.cypher"
    file.write_bytes(data)
    rules._read(file)


def cypher(data: bytes) -> None:
    """A generated statement: what is accepted has no literal and no bare name of the model."""
    import re

    from kinfolio.cypher.guarded import rewritten

    text, parameters = rewritten(data.decode(errors="replace"))
    assert text.isascii()
    plain = re.sub(r"`\w{1,40}`( \. \w+)?|\$(literal\d+|user_id)|`[^`]+`", " ", text)
    words = set(re.findall(r"\w+", plain))
    assert not re.search(r"['\"/\\;|+%^&]", plain), plain
    assert not words & {"UNION", "CALL", "CREATE", "SET", "DELETE", "MERGE", "LOAD", "UNWIND"}
    assert text.count(": User") == len(re.findall(r": User \{ id : \$user_id \} \)", text))
    assert not [value for value in parameters.values() if not isinstance(value, str | int | float)]


def line(data: bytes) -> None:
    """A line of a conversation: its filters and the products that it names."""
    from kinfolio.llm_explain.conversation.mention import (
        Context,
        ProductRef,
        find_mention,
        find_mentions,
    )
    from kinfolio.llm_explain.conversation.replies.list_filters import opens_request, read_request

    text = data.decode(errors="replace")
    read_request(text, ("fund", "bond", "Green bonds"))
    opens_request(text)
    shown = (ProductRef("p1", "Amber Fund"), ProductRef("p2", "Toy Box 2"))
    graph: Any = _Catalogue()
    context = Context(graph, shown, shown[0])
    find_mention(text, context)
    find_mentions(text, context)


def route(data: bytes) -> None:
    """The intent of a line, by the real router."""
    _router().route(data.decode(errors="replace"))


def text(data: bytes) -> None:
    """A text compared with evidence."""
    from kinfolio.llm_explain.checking.check import check_text
    from tests.llm_explain.samples import every_claim, explanation

    check_text(data.decode(errors="replace"), explanation(*every_claim()))


def run(data: bytes) -> None:
    """A run.json, listed by `kinfolio runs`."""
    import contextlib
    import io

    from kinfolio.cli.model.runs import command

    folder = scratch() / "run"
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"")
    (folder / "run.json").write_bytes(data)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        command.main([str(folder)], standalone_mode=False)
        command.main([str(folder), "--json"], standalone_mode=False)


def manifest(data: bytes) -> None:
    """A manifest of a snapshot, or, where the first byte is odd, its users."""
    from kinfolio.snapshot import is_undamaged, read_snapshot
    from kinfolio.storage.manifest import read_manifest

    folder = scratch() / "snapshot"
    if not folder.is_dir():
        _write_snapshot(folder)
    good = {name: (folder / name).read_bytes() for name in ("manifest.json", "users.arrow")}
    try:
        (folder / list(good)[data[0] % 2 if data else 0]).write_bytes(data[1:])
        is_undamaged(folder)
        read_manifest(folder)
        read_snapshot(folder)
    finally:
        for name, content in good.items():
            (folder / name).write_bytes(content)


TARGETS: dict[str, Target] = {
    one.__name__: one
    for one in (
        tsv,
        csv,
        jsonl,
        parquet,
        gz,
        mapping,
        rule,
        cypher,
        line,
        route,
        text,
        run,
        manifest,
    )
}


def call(name: str, data: bytes) -> None:
    """Run a target; a KinfolioError of one line is an answer.

    An error inside a callback of a library is a fault, although it would only be printed.
    """
    message, hidden = "none", list[Any]()
    before, sys.unraisablehook = sys.unraisablehook, hidden.append
    try:
        TARGETS[name](data)
    except KinfolioError as error:
        message = str(error)
    finally:
        sys.unraisablehook = before
    assert not hidden, hidden
    assert message.strip(), "an empty message"
    message.encode()


class _Catalogue:
    """Stands for a graph of two products: fuzzing runs without a server."""

    def read(self, _name: str, /, **_: object) -> list[dict[str, Any]]:
        return []


@cache
def _router() -> Any:
    """The real router, fitted once."""
    from kinfolio.llm_explain.conversation.router import load_router

    return load_router(scratch())


def _write_snapshot(folder: Path) -> None:
    from kinfolio.snapshot import write_snapshot
    from tests.gnn.snapshots import make_snapshot

    write_snapshot(make_snapshot(seed=1), folder)
