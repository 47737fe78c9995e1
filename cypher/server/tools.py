"""Runs the programs of the server, and finds the reason of a failure in their output."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kinfolio.cypher.server.home import ServerHome
from kinfolio.cypher.server.java import Java, java_environment
from kinfolio.cypher.server.process import ServerProcess
from kinfolio.cypher.server.settings import flags
from kinfolio.errors import ServerError

PRIVATE = 0o077 if os.name == "posix" else -1
"""umask of the server: only its owner may read its files."""
OnMessage = Callable[[str], None]
"""Called with a message to the user."""
_UNINFORMATIVE = (
    *("at ", "...", "Picked up JAVA_TOOL_OPTIONS"),
    *("Error: Could not create the Java", "Error: A fatal exception has occurred"),
)
"""Prefixes of lines without a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Java, jars and settings of the server's programs."""

    files: ServerHome
    java: Java
    classpath: str
    port: int
    memory_mb: int

    def admin(self, *arguments: str, java_flags: Sequence[str] = ()) -> str:
        """Return the output of `neo4j-admin`.

        Raises:
            ServerError: it failed; the message has the most informative line.
        """
        answer = subprocess.run(
            self._command("org.neo4j.cli.AdminTool", *arguments, java_flags=java_flags),
            env={
                **java_environment(),
                "NEO4J_HOME": str(self.files.neo4j),
                "NEO4J_CONF": str(self.files.conf),
            },
            umask=PRIVATE,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = answer.stdout + answer.stderr
        if answer.returncode != 0:
            raise ServerError(
                f"the server's admin tool failed in {' '.join(arguments[:2])} "
                f"({useful_line(printed)}); type: kinfolio doctor"
            )
        return printed

    def launch(self) -> ServerProcess:
        """Start the server; it outlives this process."""
        with self.files.log.open("wb") as log:
            child = subprocess.Popen(
                self._command(
                    "org.neo4j.server.Neo4jCommunity",
                    f"--home-dir={self.files.neo4j}",
                    f"--config-dir={self.files.conf}",
                    "--console-mode",
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.files.neo4j,
                env=java_environment(),
                umask=PRIVATE,
                # A Ctrl-C in the terminal, or closing it, must not reach the server.
                start_new_session=True,
            )
        child.returncode = 0  # otherwise Popen warns that the process is still running
        return ServerProcess(pid=child.pid, port=self.port)

    def _command(self, name: str, *arguments: str, java_flags: Sequence[str] = ()) -> list[str]:
        chosen = java_flags or flags(self.java, self.memory_mb)
        return [str(self.java.program), *chosen, "-cp", self.classpath, name, *arguments]


def useful_line(log: str) -> str:
    """Return the line of a log that most likely names the reason of a failure."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_UNINFORMATIVE)]
    words = ("ERROR", "Error", "Exception", "Invalid", "Unrecognized", "Caused by")
    errors = [line for line in lines if any(word in line for word in words)]
    # The last cause is the most precise, unless it is only the name of an exception.
    with_text = [line for line in errors if re.search(r"(Exception|Error|ERROR):? +\S", line)]
    found = (with_text or errors or lines or ["it printed nothing"])[-1]
    return found.removeprefix("Caused by: ")[:200].rstrip(".")
