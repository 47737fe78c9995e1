"""Tables and progress, on a terminal of 80 columns and without one."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from kinfolio.cli.output import cell, visible
from kinfolio.json_text import UNSAFE, json_text

CLIPBOARD = "\x1b]52;c;aGVsbG8=\x07"
HOSTILE = f"Amber{CLIPBOARD} \u202eFund\u2028\x9b2J\r\nkinfolio: a second line\t=cmd"
"""A name that would set the clipboard, reverse and clear the line, and begin another one."""
PROGRESS = """
from kinfolio.cli.progress import print_message, show_progress
with show_progress("reading the files") as report:
    report("writing [bold] users, loss 2.5", 1, 3)
    print_message("a message")
    report("writing [bold] users, loss 1.5", 3, 3)
    report("fitting", 4, 0)
print("answer")
"""
NESTED = """
import time
from kinfolio.cli.progress import show_progress, spinner
with show_progress("reading the files") as report:
    report("reading ties.tsv", 1, 2)
    with spinner("opening the graph"):
        time.sleep(0.2)
    report("reading ties.tsv", 2, 2)
"""
TABLE = """
from kinfolio.cli.table import print_table
name = "[red]" + "long name " * 12
print_table(("product", "name", "score"), [("p" * 40, name, "1.0")] * {rows}, right=("score",))
"""
WIDE_TABLE = """
from kinfolio.cli.table import print_table
print_table(("one", "two", "three"), [("a" * 30, "b" * 30, "c" * 30)] * {rows})
"""


def run_on_terminal(code: str) -> str:
    """Run Python code on a pseudo-terminal of 80 columns; return the output."""
    reader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment):
        os.close(terminal)
        printed = b""
        try:
            while part := os.read(reader, 65536):
                printed += part
        except OSError:  # Linux reports the end of a terminal as an error
            pass
    os.close(reader)
    return printed.decode()


def run_without_terminal(code: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def plain_lines(printed: str) -> list[str]:
    """Return the lines without colours, as they are before the terminal wraps them."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*\w", "", printed).splitlines()]


def test_progress_on_a_terminal_is_a_spinner_and_bars_below_messages() -> None:
    lines = plain_lines(run_on_terminal(PROGRESS))
    assert any("⠋ reading the files" in line for line in lines)
    assert "a message" in lines
    bars = lines[lines.index("a message") :]
    assert any(re.search(r"  writing \[bold\] users ━+ 3/3", line) for line in bars)
    assert re.search(r"  fitting +━+ +4 0:00:0\d", lines[-2])
    assert lines[-1] == "answer"


def test_a_spinner_inside_a_step_is_shown_below_its_bars() -> None:
    lines = plain_lines(run_on_terminal(NESTED))
    below = lines[next(n for n, line in enumerate(lines) if "reading ties.tsv" in line) :]
    assert any("opening the graph" in line for line in below)
    assert re.search("reading ties.tsv ━+ 2/2", lines[-1])


def test_progress_without_a_terminal_is_plain_lines_on_stderr() -> None:
    out, err = run_without_terminal(PROGRESS)
    assert out == "answer\n"
    assert err.splitlines() == [
        "reading the files ...",
        "a message",
        "writing [bold] users, loss 1.5: 3",
    ]


def test_a_table_on_a_terminal_wraps_texts_but_not_ids() -> None:
    lines = plain_lines(run_on_terminal(TABLE.format(rows=8)))
    assert max(map(len, lines)) <= 80
    assert sum("p" * 40 in line for line in lines) == 8
    assert sum(line.count("long") for line in lines) == 8 * 12
    assert sum("[red]" in line for line in lines) == 8


@pytest.mark.parametrize("rows", [1, 8])
def test_a_table_that_is_too_wide_for_the_terminal_is_not_cut(rows: int) -> None:
    lines = plain_lines(run_on_terminal(WIDE_TABLE.format(rows=rows)))
    for letter in "abc":
        assert sum(letter * 30 in line for line in lines) == rows
    assert (max(map(len, lines)) <= 80) == (rows == 1)


def test_a_table_without_a_terminal_is_tab_separated_and_uncut() -> None:
    out, _ = run_without_terminal(TABLE.format(rows=1))
    name = ("[red]" + "long name " * 12).strip()
    assert out == f"product\tname\tscore\n{'p' * 40}\t{name}\t1.0\n"


def test_a_paragraph_is_wrapped_at_words_on_a_terminal() -> None:
    code = "from kinfolio.cli.table import print_paragraphs\nprint_paragraphs('word ' * 40)"
    lines = run_on_terminal(code).splitlines()
    assert len(lines) > 1
    assert all(line.split() == ["word"] * len(line.split()) for line in lines)


def test_what_a_terminal_obeys_is_printed_as_an_escape_and_letters_stay() -> None:
    assert visible(f"é{CLIPBOARD}") == "é\\x1b]52;c;aGVsbG8=\\x07"
    assert visible("a\u202eb\u2066c\u200bd") == "a\\u202eb\\u2066c\\u200bd"
    for name in ("日本 שלום سلام", "नमस्ते", "میخواهم", "👩‍👩‍👧", "a\tb"):
        assert visible(name) == name
    assert cell("a\r\nb\tc  d") == "a b c  d"
    assert cell("x" * 10_000, 120) == "x" * 119 + "…"


def test_json_is_exact_and_has_no_character_that_a_terminal_obeys() -> None:
    value = {"name": HOSTILE, "tag": "\U000e0041", "half": "\udcff", "letters": "é 日本 🪙"}
    text = json_text(value)
    assert json.loads(text) == value
    assert not UNSAFE.search(text)
    assert "é 日本 🪙" in text
    assert json.loads(json_text([float("nan"), float("inf"), 1.5, True])) == [None, None, 1.5, True]


def test_a_table_a_paragraph_and_progress_escape_on_a_terminal() -> None:
    code = f"""
from kinfolio.cli.progress import show_progress, spinner
from kinfolio.cli.table import print_paragraphs, print_table
name = {HOSTILE!r}
with show_progress(name) as report, spinner(name):
    report(name, 1, 2)
print_table(("name", "text"), [(name, "x" * 10_000)])
print_paragraphs(name)
"""
    printed = run_on_terminal(code)
    assert "]52;c" in printed
    assert not re.search("\x1b\\]|[\x07\x9b\u202e\u2028]", printed)
    assert printed.count("x") < 400
