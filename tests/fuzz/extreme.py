"""Extreme but legal data through every step: `python tests/fuzz/extreme.py [CASE ...]`.

Each step must end with an answer, or with one sentence and exit code 1.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
LIMIT_MB = 3_000


def holdings(users: int, products: int, each: int) -> Rows:
    """Each user holds some products, spread evenly."""
    return [
        {"user": f"u{user}", "product": f"p{(user * 7 + place) % products}"}
        for user in range(users)
        for place in range(each)
    ]


def heavy_user() -> Tables:
    """One user holds 50,000 of 50,010 products; 1,500 others hold 20."""
    heavy = [{"user": "u0", "product": f"p{place}"} for place in range(50_000)]
    return {"interactions": [*heavy, *holdings(1_500, 50_010, 20)[20:]]}


def popular_product() -> Tables:
    """One product is held by all."""
    return {
        "interactions": [
            *holdings(300, 40, 5),
            *({"user": f"u{user}", "product": "all"} for user in range(300)),
        ]
    }


def long_ids() -> Tables:
    """Ids, names and values of 10,000 characters."""
    rows = holdings(30, 12, 4)
    return {
        "interactions": [
            {key: f"{value}{'x' * 10_000}" for key, value in row.items()} for row in rows
        ],
        "products": [{"product": f"p{n}{'x' * 10_000}", "name": "n" * 10_000} for n in range(12)],
    }


def long_names() -> Tables:
    """Names, kinds, categories and texts of 10,000 characters."""
    long = "word " * 2_000
    return {
        "interactions": holdings(30, 12, 4),
        "products": [
            {
                "product": f"p{n}",
                "name": f"{n} {long}",
                "kind": long,
                "category": f"{n}{long}",
                "text": long,
            }
            for n in range(12)
        ],
    }


def one_user() -> Tables:
    """One user with ten holdings."""
    return {"interactions": holdings(1, 20, 10)}


def one_product() -> Tables:
    """One product, held by 30 users."""
    return {"interactions": holdings(30, 1, 1)}


def one_holding() -> Tables:
    """One user, one product, one holding."""
    return {"interactions": holdings(1, 1, 1)}


def equal_values() -> Tables:
    """All ratings and dates are equal, with a split by time."""
    rows = holdings(60, 30, 5)
    return {"interactions": [{**row, "rating": 3, "timestamp": "2024-05-01"} for row in rows]}


def empty_texts() -> Tables:
    """Texts, names and kinds are empty; no ties, no reviews."""
    return {
        "interactions": holdings(60, 30, 5),
        "products": [{"product": f"p{n}", "name": "", "text": "", "kind": ""} for n in range(30)],
        "users": [{"user": f"u{n}", "name": "", "country": ""} for n in range(60)],
    }


def all_held() -> Tables:
    """Every user holds every product: nothing is left to recommend."""
    return {"interactions": holdings(20, 10, 10)}


CASES: dict[str, Callable[[], Tables]] = {
    one.__name__: one
    for one in (
        *(one_holding, one_user, one_product, all_held, equal_values, empty_texts),
        *(long_names, long_ids, popular_product, heavy_user),
    )
}


def write(folder: Path, tables: Tables) -> None:
    """Write the tables as .jsonl."""
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")


def steps(folder: Path, tables: Tables) -> list[list[str]]:
    """Return the commands of a road from files to an explanation."""
    run = str(folder / "run")
    user = str(tables["interactions"][0]["user"])
    product = str(tables["interactions"][-1]["product"])
    split = ["--split", "time:0.2" if "timestamp" in tables["interactions"][0] else "random:0.2"]
    return [
        ["load", str(folder / "data"), "--check"],
        ["load", str(folder / "data"), *split],
        ["export", "--run", run],
        ["train", "--run", run, "--quick", "--text", "off"],
        ["evaluate", "--run", run],
        ["writeback", "--run", run],
        ["recommend", user, "-k", "1000", "--json"],
        ["explain", user, product, "--json"],
        ["why-not", user, product],
        ["similar", product],
        ["show", "user", user],
    ]


def go(run: Callable[..., Any], folder: Path, name: str) -> list[tuple[str, int, str, float]]:
    """Run the steps of a case; return command, exit code, the last message and the seconds."""
    tables = CASES[name]()
    write(folder / "data", tables)
    done = []
    for arguments in steps(folder, tables):
        started = time.monotonic()
        result = run(*arguments)
        assert result.exit_code in (0, 1), (name, arguments[0], result)
        assert "unexpected error" not in result.stderr, (name, arguments[0], result.stderr)
        if result.exit_code == 0 and "--json" in arguments:
            assert "NaN" not in result.stdout
            json.loads(result.stdout)
        message = result.stderr.strip().splitlines()[-1:] if result.exit_code else [""]
        done.append((arguments[0], result.exit_code, "".join(message), time.monotonic() - started))
    return done


def main(names: Sequence[str]) -> None:
    from kinfolio.cypher.server.server import Server
    from tests.conftest import empty, environment_of, run_command

    with tempfile.TemporaryDirectory() as temporary:
        home = Path(os.environ.get("KINFOLIO_TEST_HOME", f"{temporary}/home"))
        connection = Server(home).start(print)
        os.environ |= environment_of(connection, home)
        for name in names or CASES:
            empty(connection)
            print(f"{name}: {CASES[name].__doc__}")
            for command, code, message, seconds in go(run_command, Path(temporary) / name, name):
                print(f"  {command:10} {code} {seconds:6.1f} s  {message[:200]}", flush=True)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"  memory of this process so far: {memory:,} MB", flush=True)
            assert memory < LIMIT_MB


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(sys.argv[1:])
