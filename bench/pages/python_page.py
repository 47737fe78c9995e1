"""Runs the Python blocks of docs/python.md in order and writes their output below them.

Needs a server with an empty graph: `KINFOLIO_HOME=$(mktemp -d) python bench/pages/python_page.py`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
_BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)


def run_page(text: str) -> str:
    """Return the page with the output of every block that prints or ends in an expression."""
    namespace: dict[str, Any] = {}  # Any: names that the page defines

    def run(found: re.Match[str]) -> str:
        output = _run(found["code"], namespace)
        shown = f"\n```text\n{output}```\n" if output else ""
        return f"```python\n{found['code']}```\n{shown}"

    return _BLOCK.sub(run, text)


def outputs(text: str) -> list[str]:
    """Outputs of a page, in order."""
    return [found["output"] or "" for found in _BLOCK.finditer(text)]


def _run(code: str, namespace: dict[str, Any]) -> str:
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, str(PAGE), "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(PAGE), "eval"), namespace)
            if value is not None:
                print(value)
    return printed.getvalue()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        PAGE.write_text(run_page(PAGE.read_text("utf-8")), "utf-8")
