"""Inputs and situations that once failed, tried by the command line: one line each.

    python tests/cases.py [NUMBER ...]

Reads `../shared/cases`. Starts a server in a temporary home. Exit code 1 if a case is wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from kinfolio.cypher.driver import open_driver
from kinfolio.cypher.server.server import Server
from kinfolio.json_text import UNSAFE
from kinfolio.loaders import write_community
from kinfolio.records import Connection
from tests.proxy import proxy_to

CASES = Path(__file__).parents[2] / "shared" / "cases"
TRAIN = ("--steps", "60", "--dim", "32", "--tau", "0.2", "--text", "off", "--device", "cpu")
SECONDS = 30
"""Longest time of a command that must report a fault."""


class Wrong(Exception):
    """A case is not right."""


@dataclass
class Outcome:
    """A command that ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    def json(self) -> Any:
        if self.code:
            raise Wrong(f"exit {self.code}: {self.stderr.strip()[-300:]}")
        return json.loads(self.stdout)


class Tryout:
    """One home with its server, one run."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.home = work / "home"
        self.run = work / "run"
        self.server = Server(self.home)
        self.env = {**os.environ, "KINFOLIO_HOME": str(self.home), "KINFOLIO_MODEL": "none"}
        self.env.pop("NEO4J_URI", None)

    def cli(
        self,
        *words: str | Path,
        input: str = "",
        env: dict[str, str] | None = None,
        line: str = "",
    ) -> Outcome:
        """Run a command; `line` runs it in a shell, with the command as "$@"."""
        command = [sys.executable, "-m", "kinfolio.cli", *map(str, words)]
        if line:
            command = ["bash", "-c", line, "bash", *command]
        started = time.monotonic()
        done = subprocess.run(
            command,
            input=input.encode(),
            env={**self.env, **(env or {})},
            cwd=self.work,
            capture_output=True,
            timeout=300,
            check=False,
        )
        seconds = time.monotonic() - started
        outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)
        if "Traceback" in outcome.stdout + outcome.stderr:
            raise Wrong(f"traceback: {outcome.stderr.strip().splitlines()[-1]}")
        if outcome.code < 0 or outcome.code > 128:
            raise Wrong(f"ended by signal: {outcome.code}")
        return outcome

    def fails(self, *words: str | Path, names: str = "", **how: Any) -> str:
        """Run a command that must end with one sentence; returns it."""
        outcome = self.cli(*words, **how)
        lines = [line for line in outcome.stderr.splitlines() if line.startswith("kinfolio: ")]
        if outcome.code != 1 or len(lines) != 1:
            raise Wrong(f"exit {outcome.code}, {outcome.stderr.strip()[-300:]!r}")
        if outcome.seconds > SECONDS + 15:
            raise Wrong(f"{outcome.seconds:.0f} s")
        if names not in lines[0]:
            raise Wrong(f"{names!r} is not in: {lines[0]}")
        return lines[0].removeprefix("kinfolio: ")

    def cypher(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        with open_driver(self.connection()) as driver, driver.session() as session:
            return session.run(text, parameters).data()

    def connection(self) -> Connection:
        return self.server.start(lambda text: None)

    def empty(self) -> None:
        """Empty the graph and the run."""
        self.cypher("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS")
        for kind in ("INDEX", "CONSTRAINT"):
            show = "SHOW VECTOR INDEXES" if kind == "INDEX" else "SHOW CONSTRAINTS"
            for row in self.cypher(f"{show} YIELD name"):
                self.cypher(f"DROP {kind} {row['name']}")
        shutil.rmtree(self.run, ignore_errors=True)

    def serve(self, folder: Path, *options: str) -> None:
        """Load a folder, train and write back."""
        self.empty()
        self.cli("load", folder, *options, "--json").json()
        for words in (("export",), ("train", *TRAIN), ("writeback",)):
            self.cli(*words, "--run", self.run, "--json").json()

    def products(self, user: str) -> list[str]:
        found = self.cli("recommend", user, "--json").json()
        return [row["product"] for row in found["products"]]


def zones(tryout: Tryout) -> str:
    folder = CASES / "01/tz_us_berlin"
    noon = 1_706_702_400_000_000  # 2024-01-31T12:00Z in microseconds
    expected = [noon + 123_456, noon + 123_457]
    hashes = []
    for options in ((), ("--bulk",)):
        if options:
            tryout.cli("db", "wipe", "--yes", "--json").json()
        else:
            tryout.empty()
        tryout.cli("load", folder, *options, "--json").json()
        rows = tryout.cypher(
            "MATCH (u:User) RETURN u.joined.epochMillis * 1000 + u.joined.microsecond % 1000 AS at "
            "ORDER BY at"
        )
        _equal([row["at"] for row in rows], expected)
        hashes.append(tryout.cli("db", "hash", "--json").json()["hash"])
        tryout.cli("load", folder, "--json").json()
        _equal(tryout.cli("db", "hash", "--json").json()["hash"], hashes[-1])
    _equal(*hashes)
    return "instants equal, online and by --bulk; a second load changes nothing"


def times(tryout: Tryout) -> str:
    seen = []
    for name, year in (("t_14digits", "2024-01-31T12:00"), ("t_excel", "2024-01-31")):
        tryout.empty()
        found = tryout.cli("load", CASES / "03" / name, "--json").json()
        rows = tryout.cypher("MATCH ()-[h:HOLDS]->() RETURN h.at AS at")
        if rows:
            for row in rows:
                at = time.strftime("%Y-%m-%dT%H:%M", time.gmtime((row["at"] or 0) / 1000))
                if not at.startswith(year):
                    raise Wrong(f"{name} became {at}")
            seen.append(f"{name} read as {year}")
        else:
            seen.append(f"{name} rejected: {found['rejected'][0]['reason']}")
    return "; ".join(seen)


def same_names(tryout: Tryout) -> str:
    tryout.serve(CASES / "05/same_names")
    twins = {"p04", "p10"}
    for row in tryout.cypher(
        "MATCH (u:User)-[:HOLDS]->(p:Product) WHERE p.id IN ['p04', 'p10'] "
        "RETURN u.id AS user, collect(p.id) AS held ORDER BY user"
    ):
        listed = [one for one in tryout.products(row["user"]) if one in twins - set(row["held"])]
        if len(row["held"]) == 1 and listed:
            user, held, new = row["user"], row["held"][0], listed[0]
            break
    explained = tryout.cli("explain", user, new, "--length", "long", "--json").json()
    if not any(one["evidence"] for one in explained["sentences"]) or not explained["grounded"]:
        raise Wrong(f"no reasons: {explained['text']}")
    if explained["text"].count("like your Ember Income") and new not in explained["text"]:
        raise Wrong(explained["text"])
    lines = "what do you recommend?\nnever show me Ember Income again\nyes\nquit\n"
    said = tryout.cli("chat", user, input=lines).stdout
    rows = tryout.cypher("MATCH (:User {id: $user})-[:DISMISSED]->(p) RETURN p.id AS id", user=user)
    if {row["id"] for row in rows} != {new} and new not in said.rpartition("Ember")[2]:
        raise Wrong(f"dismissed {rows}: {said[-400:]}")
    if rows and new in tryout.products(user):
        raise Wrong("the dismissed product is on the list again")
    return f"{new} (listed) is meant, not {held} (held); reasons told"


def number_names(tryout: Tryout) -> str:
    tryout.serve(CASES / "06/number_names")
    names = {"p01": "Toy Box 2", "p04": "First Light Fund"}
    done: set[str] = set()
    for user in (f"u{number:02}" for number in range(40)):
        listed = tryout.products(user)
        for place in (0, 1):
            for product in set(names) & set(listed) - done:
                if listed[place] == product:
                    continue  # the right answer and the wrong one are the same
                lines = (
                    f"what do you recommend?\nwhy {names[product]}?\nwhy not {names[product]}?\n"
                )
                said = tryout.cli("chat", user, input=lines).stdout
                if said.count(names[product]) < 3:
                    raise Wrong(f"{user}: {said[-500:]}")
                done.add(product)
        if done == set(names):
            return "the product of that name is explained"
    raise Wrong("no list has these names")


def floats(tryout: Tryout) -> str:
    tryout.empty()
    result = tryout.cli("load", CASES / "08/pandas_floats", "--json")
    result.json()
    users = tryout.cypher("MATCH (u:User) RETURN count(u) AS n")[0]["n"]
    both = tryout.cypher(
        "MATCH (u:User) WHERE (u)-[:HOLDS]->() AND (u)-[:TIED_TO]-() RETURN count(u) AS n"
    )[0]["n"]
    if users != 40 and "1.0" not in result.stderr:
        raise Wrong(f"{users} users, {both} with holdings and ties")
    return f"{users} users, {both} with holdings and ties"


def carriage_returns(tryout: Tryout) -> str:
    tryout.empty()
    return f"{tryout.cli('load', CASES / '11/cr_only', '--json').json()['interactions']} read"


def temporal(tryout: Tryout) -> str:
    tryout.empty()
    tryout.cli("load", CASES / "13/show_props", "--json").json()
    tryout.cypher(
        "MATCH (u:User {id: 'u0'}) SET u.x = date('2024-02-03'), u.d = duration('P1D'), "
        "u.t = localtime('10:00'), u.p = point({x: 1, y: 2}), u.n = 0.0 / 0.0"
    )
    found = tryout.cli("show", "user", "u0", "--json").json()
    _equal(found["properties"]["x"], "2024-02-03")
    return "dates, durations, points and NaN in one JSON document"


def text_times(tryout: Tryout) -> str:
    tryout.empty()
    at = tryout.connection()
    env = {**os.environ, "NEO4J_URI": at.uri, "NEO4J_PASSWORD": at.password}
    subprocess.run([sys.executable, CASES / "14/make.py", ""], env=env, check=True)
    mapping = CASES / "14/m.toml"
    checked = tryout.cli("map", "check", mapping)
    if "day" not in checked.stdout + checked.stderr or "1 " not in checked.stdout + checked.stderr:
        raise Wrong(f"map check: {checked.stdout[-300:]}")
    exported = tryout.cli("export", "--mapping", mapping, "--run", tryout.run)
    if exported.code or "day" not in exported.stdout + exported.stderr:
        raise Wrong(f"export: {exported.stderr[-300:]}")
    return [line for line in exported.stderr.splitlines() if "day" in line][-1]


def dislikes(tryout: Tryout) -> str:
    tryout.serve(CASES / "16/dislikes", "--least-rating", "3")
    for user in ("u00", "u07", "u13", "u22"):
        listed = tryout.products(user)
        disliked = tryout.cypher(
            "MATCH (:User {id: $user})-[:DISMISSED]->(p:Product) RETURN p.id AS id", user=user
        )
        if {row["id"] for row in disliked} & set(listed) or listed[0] in ("p00", "p01"):
            raise Wrong(f"{listed} for {user}, who rated {disliked} 1")
        for product in listed:
            text = tryout.cli("explain", user, product, "--length", "long", "--json").json()["text"]
            if re.search(r"rating of [12]\b", text):
                raise Wrong(text)
    tryout.empty()
    said = tryout.cli("load", CASES / "16/dislikes").stderr
    if "--least-rating" not in said:
        raise Wrong(f"load does not mention ratings: {said[-300:]}")
    return "left out with --least-rating; load without it says that ratings are not read"


def countries(tryout: Tryout) -> str:
    tryout.empty()
    result = tryout.cli("load", CASES / "17/countries", "--json").json()
    rows = tryout.cypher("MATCH (p:Product) RETURN p.id AS id, p.countries AS sold ORDER BY id")
    odd = [row for row in rows if not set(row["sold"] or ["DE"]) <= {"DE", "FR"}]
    if odd:
        raise Wrong(str(odd[:3]))
    rejected = {row["reason"] for row in result["rejected"]}
    return f"{len(rows)} products read; rejected: {rejected or 'none'}"


def reserved(tryout: Tryout) -> str:
    tryout.empty()
    outcome = tryout.cli("load", CASES / "20/col_changed")
    if outcome.code:
        return outcome.stderr.strip()[-200:]
    rows = tryout.cypher("MATCH (u:User) RETURN properties(u) AS p ORDER BY u.id")
    if not any(value in (2020, "2020") for value in rows[0]["p"].values()):
        raise Wrong(f"lost: {rows}")
    return f"kept: {rows[0]['p']}"


def quoting(tryout: Tryout) -> str:
    tryout.empty()
    folder = tryout.work / "my data (1)"
    shutil.copytree(CASES / "23/my data (1)", folder, dirs_exist_ok=True)
    said = tryout.cli("load", "my data (1)", "--check")
    text = said.stdout + said.stderr
    lines = [line for line in text.splitlines() if "kinfolio " in line and "my data" in line]
    if not lines or any("'my data (1)'" not in line for line in lines):
        raise Wrong(str(lines or text[-300:]))
    return lines[-1].strip()


def hostile_names(tryout: Tryout) -> str:
    name = "Am\x1b]52;c;aGk=\x07ber \u202eFund =cmd|' /C calc'!A0"
    folder = tryout.work / "hostile"
    folder.mkdir(exist_ok=True)
    write_community(folder)
    lines = [json.loads(line) for line in (folder / "products.jsonl").open(encoding="utf-8")]
    for number, line in enumerate(lines):
        line["name"] = f"=1+{number}{name}"
    (folder / "products.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    tryout.serve(folder)
    product = tryout.products("p001")[0]
    for words in (
        ("recommend", "p001"),
        ("explain", "p001", product),
        ("show", "product", product),
        ("why-not", "p001", product),
        ("similar", product),
    ):
        for options in ((), ("--json",)):
            outcome = tryout.cli(*words, *options)
            found = UNSAFE.findall(re.sub("[\n\t]", "", outcome.stdout + outcome.stderr))
            if outcome.code or found:
                raise Wrong(f"{' '.join(words)}: {found[:3]} {outcome.stderr[-200:]}")
    said = tryout.cli("chat", "p001", input="what do you recommend?\nwhy the first?\n").stdout
    if UNSAFE.search(re.sub("[\n\t]", "", said)):
        raise Wrong("chat")
    return "escaped in recommend, explain, show, why-not, similar and chat"


def streams(tryout: Tryout) -> str:
    said = [
        tryout.fails("recommend", "p001", line='"$@" > /dev/full'),
        tryout.cli("recommend", "p001", line='"$@" >&-; test $? -eq 1').code,
        tryout.cli("recommend", "p001", line='"$@" 2>&-').code,
        tryout.cli("recommend", "p001", line='"$@" <&-').code,
        tryout.cli(
            "explain", "p001", tryout.products("p001")[0], env={"PYTHONIOENCODING": "ascii"}
        ).code,
        tryout.cli("chat", "p001", line='"$@" <&-').code,
    ]
    if any(code not in (0, 1) for code in said[1:]):
        raise Wrong(str(said))
    return str(said[0])


def limits(tryout: Tryout) -> str:
    snapshot = tryout.run / "snapshot"
    said = []
    for words, line in (
        (("export", "--run", tryout.work / "file/run"), 'touch file; exec "$@"'),
        (("export", "--run", tryout.work / ("x" * 300)), 'exec "$@"'),
        (("train", "--run", tryout.run, *TRAIN), 'ulimit -f 10; exec "$@"'),
        (("recommend", "--all", "--out", tryout.work / "lists.tsv"), 'ulimit -f 10; exec "$@"'),
        (("recommend", "--all", "--out", tryout.work / "no"), 'mkdir -p no; exec "$@"'),
        (("report", "--run", tryout.run), 'ulimit -f 8; exec "$@"'),
    ):
        outcome = tryout.cli(*words, line=line)
        lines = [one for one in outcome.stderr.splitlines() if one.startswith("kinfolio: ")]
        usage = outcome.code == 2 and "Error: " in outcome.stderr
        if not usage and (outcome.code != 1 or len(lines) != 1):
            raise Wrong(f"{words[0]}, {line}: exit {outcome.code} {outcome.stderr[-300:]}")
        said.append((lines or [outcome.stderr.splitlines()[-1]])[0])
    if not snapshot.is_dir() or (tryout.work / "lists.tsv").exists():
        raise Wrong("something was lost or half written")
    tryout.cli("recommend", "p001", line='ulimit -n 64; exec "$@"')
    return said[2].removeprefix("kinfolio: ")


def damaged_files(tryout: Tryout) -> str:
    said = []
    for name, damage, words in (
        ("model.safetensors", _flip, ("evaluate", "--split", "valid")),
        ("model.safetensors", _flip, ("writeback",)),
        ("model.safetensors", lambda data: data[: len(data) // 2], ("writeback",)),
        ("run.json", lambda data: b"{}", ("writeback",)),
        ("run.json", lambda data: b"[" * 10_000 + b"]" * 10_000, ("evaluate",)),
        ("run.json", lambda data: data.replace(b'"valid"', b'"value"'), ("report",)),
        ("snapshot/manifest.json", lambda data: b"[" * 10_000, ("train",)),
        ("snapshot/manifest.json", lambda data: b'{"format": 1e400}', ("evaluate",)),
        ("snapshot/users.arrow", lambda data: b"\0" * 8 + data[8:], ("train",)),
    ):
        file = tryout.run / name
        whole = file.read_bytes()
        file.write_bytes(damage(whole))
        try:
            options = TRAIN if words[0] == "train" else ()
            said.append(tryout.fails(*words, "--run", tryout.run, *options, names=file.name))
        except Wrong as error:
            raise Wrong(f"{name}, {words[0]}: {error}") from error
        finally:
            file.write_bytes(whole)
    return said[0]


def damaged_graph(tryout: Tryout) -> str:
    slot = tryout.cypher("MATCH (v:EmbeddingVersion {state: 'active'}) RETURN v.slot AS s")[0]["s"]
    vector, message = f"embedding_{slot}", f"message_{slot}"
    product = tryout.products("p001")[0]
    first = "MATCH (n:Product {id: $id}) SET n."
    user = "MATCH (n:User {id: 'p001'}) SET n."
    version = "MATCH (n:EmbeddingVersion {state: 'active'}) SET n."
    nan = "[x IN n.{0} | 0.0 / 0.0]"
    for statement in (
        f"{first}{vector} = {nan.format(vector)}",
        f"{first}{vector} = n.{vector}[..3]",
        f"{first}{vector} = 'text'",
        f"{user}{vector} = {nan.format(vector)}",
        f"{user}{vector} = n.{vector}[..3]",
        f"{user}{vector} = ['a', 'b']",
        f"{first}{message} = null",
        f"{version}heads = null",
        f"{version}dim = 'x'",
        f"{version}heads = 99",
        f"{version}slot = 'c'",
    ):
        tryout.cypher(statement, id=product)
        named = False
        for words in (
            ("recommend", "p001"),
            ("explain", "p001", product),
            ("recommend", "--all", "--out", tryout.work / "lists.tsv"),
            ("similar", product),
            ("versions", "check"),
        ):
            outcome = tryout.cli(*words)
            text = outcome.stdout + outcome.stderr
            if words[1] == "--all" and outcome.code == 0:
                text += (tryout.work / "lists.tsv").read_text("utf-8")
            if re.search(r"\bnan\b", text, re.IGNORECASE):
                raise Wrong(f"{statement}: {' '.join(map(str, words))}: nan in {text[-300:]}")
            named = outcome.code == 1
        if not named:
            raise Wrong(f"{statement}: versions check says {text[-300:]}")
        with suppress(Wrong):
            tryout.cypher("MATCH (v:EmbeddingVersion {slot: 'c'}) SET v.slot = $s", s=slot)
        tryout.cli("writeback", "--run", tryout.run, "--json").json()
        found = tryout.cypher("MATCH (v:EmbeddingVersion {state: 'active'}) RETURN v.slot AS s")
        if found[0]["s"] != slot:
            tryout.cli("writeback", "--run", tryout.run, "--json").json()
        tryout.cli("versions", "check", "--json").json()
    return "11 kinds of damage: never NaN, named by versions check, mended by writeback"


def network(tryout: Tryout) -> str:
    at = tryout.connection()
    slowest, said = 0.0, ""
    for fault, limit in (
        ("reset", 50),
        ("reset", 800),
        ("reset", 3_000),
        ("reset", 20_000),
        ("mute", 0),
    ):
        with proxy_to(at.uri, fault, limit) as proxy:  # type: ignore[arg-type]
            env = {"NEO4J_URI": proxy.uri, "NEO4J_PASSWORD": at.password, "KINFOLIO_TIMEOUT": "5"}
            for words in (("recommend", "p001"), ("writeback", "--run", tryout.run)):
                outcome = tryout.cli(*words, env=env)
                slowest = max(slowest, outcome.seconds)
                if outcome.code:
                    said = outcome.stderr.strip().splitlines()[-1]
                    if "db start" in said:
                        raise Wrong(said)
    if slowest > 45:
        raise Wrong(f"{slowest:.0f} s")
    return f"at most {slowest:.0f} s; {said.removeprefix('kinfolio: ')}"


TRIED: dict[str, Callable[[Tryout], str]] = {
    "01": zones,
    "03": times,
    "05": same_names,
    "06": number_names,
    "08": floats,
    "11": carriage_returns,
    "13": temporal,
    "14": text_times,
    "16": dislikes,
    "17": countries,
    "20": reserved,
    "23": quoting,
    "names": hostile_names,
    "streams": streams,
    "limits": limits,
    "files": damaged_files,
    "graph": damaged_graph,
    "network": network,
}
"""Cases by number; those from `names` on share one graph."""


def _equal(found: object, expected: object) -> None:
    if found != expected:
        raise Wrong(f"{found}, expected {expected}")


def _flip(data: bytes) -> bytes:
    place = len(data) * 3 // 4
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


def main() -> None:
    """Print a line per case."""
    if not CASES.is_dir():
        raise SystemExit(f"{CASES} is absent: nothing was tried")
    chosen = sys.argv[1:] or list(TRIED)
    if {"streams", "limits", "files", "graph", "network"} & set(chosen) and "names" not in chosen:
        chosen = ["names", *chosen]
    work = Path(tempfile.mkdtemp(prefix="kinfolio-cases-"))
    tryout = Tryout(work)
    wrong = 0
    try:
        for number in chosen:
            try:
                line = f"right  {TRIED[number](tryout)}"
            except (Wrong, subprocess.TimeoutExpired, KeyError, IndexError) as error:
                line = f"WRONG  {type(error).__name__}: {error}"
                wrong += 1
            print(f"{number:8} {' '.join(line.split())}"[:400], flush=True)
    finally:
        tryout.server.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{len(chosen)} cases, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
