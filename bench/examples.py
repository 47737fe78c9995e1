"""Writes docs/examples.md: explanations and conversations of the demo by the command line.

    python bench/examples.py [FILE]

What is asked stands in `examples.toml` beside this file. Everything comes from `kinfolio` itself,
called as anyone calls it; a home of its own, or `KINFOLIO_HOME`, keeps the graph.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import tomllib
import uuid
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WIDTH = 116
HEAD = """# Explanations and conversations

Written by `make examples` on the made-up community of `kinfolio demo`; nothing here
was edited. What is asked stands in `bench/examples.toml`.
"""


def kinfolio(*words: str, typed: str = "") -> str:
    """What a command prints; it must go well."""
    command = [sys.executable, "-m", "kinfolio.cli", *words]
    done = subprocess.run(command, input=typed, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"kinfolio {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def explained(asked: dict[str, Any]) -> str:
    """One explanation as Markdown. Any: TOML values."""
    user, product = asked["user"], asked.get("product")
    if product is None:
        found = json.loads(kinfolio("recommend", user, "-k", str(asked["place"]), "--json"))
        product = found["products"][asked["place"] - 1]["product"]
    options = [
        word
        for key, usual in (("length", "normal"), ("language", "en"), ("model", "none"))
        for word in (f"--{key}", asked.get(key, usual))
        if asked.get(key, usual) != usual or key == "model"
    ]
    told = json.loads(kinfolio("explain", user, product, *options, "--json"))
    typed = " ".join(("kinfolio explain", user, product, *options))
    share = sum(abs(piece["share"]) for piece in told["evidence"])
    return (
        f"### {_capital(asked['about'])}\n\n`{typed}`\n\n{quoted(told['text'])}\n\n"
        f"Written by {told['writer']}; score {told['score']:.3f}; {len(told['evidence'])} "
        f"piece(s) of evidence carry {share:.0%} of the weight.\n"
    )


def conversation(asked: dict[str, Any]) -> str:
    """One conversation as Markdown; each line has an answer of its own."""
    options = (asked["user"], "--model", asked["model"])
    # A thread of its own: an older run must not be remembered.
    own = ("--thread", f"examples-{uuid.uuid4().hex}")
    printed = kinfolio("chat", *options, *own, "--json", typed="\n".join([*asked["lines"], "bye"]))
    answers = [json.loads(line)["text"] for line in printed.splitlines()]
    turns = "\n".join(
        f"**{line}**\n\n{quoted(answer)}\n"
        for line, answer in zip(asked["lines"], answers, strict=True)
    )
    return f"### {_capital(asked['about'])}\n\n`kinfolio chat {' '.join(options)}`\n\n{turns}"


def quoted(text: str) -> str:
    """A text as a quotation, its own line breaks kept."""
    # A backslash at the end keeps a line break of the text.
    kept = ("\n> ".join(textwrap.wrap(line, WIDTH)) for line in text.splitlines())
    return "> " + "\\\n> ".join(kept)


def _capital(text: str) -> str:
    # `str.capitalize` would make "german" of "German".
    return text[:1].upper() + text[1:]


def main() -> None:
    """Run the demo where it has not been run, ask, write."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "docs" / "examples.md"
    with tempfile.TemporaryDirectory() as folder:
        is_mine = "KINFOLIO_HOME" not in os.environ
        home = Path(os.environ.setdefault("KINFOLIO_HOME", folder))
        if not (home / "demo" / "run" / "run.json").exists():
            kinfolio("demo", "--model", "none")
        asked = tomllib.loads((HERE / "examples.toml").read_text("utf-8"))
        parts = [HEAD, "## Explanations\n", *map(explained, asked["explanation"])]
        parts += ["## Conversations\n", *map(conversation, asked["conversation"])]
        if is_mine:
            kinfolio("db", "stop")
    out.write_text("\n".join(parts), "utf-8")
    print(
        f"wrote {out}: {len(asked['explanation'])} explanations, {len(asked['conversation'])} talks"
    )


if __name__ == "__main__":
    main()
