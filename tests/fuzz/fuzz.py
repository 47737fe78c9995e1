"""Fuzz the targets with atheris, one after the other: `python tests/fuzz/fuzz.py --seconds 600`.

Each target runs in a process of its own. New inputs that reach new code stay in a folder of the
run; what fails is reduced by libFuzzer and printed. The corpus in `corpus/` is of our own making.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
MEMORY_MB = 2_500
_INSIDE = "--inside"
_FAULT = "fault:"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=600)
    if sys.argv[1:2] == [_INSIDE]:
        fuzz(sys.argv[2], sys.argv[3:])
        return
    arguments = parser.parse_args()
    from tests.fuzz.targets import TARGETS

    failed = [name for name in arguments.targets or TARGETS if not run(name, arguments.seconds)]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def run(name: str, seconds: int) -> bool:
    """Fuzz one target; print executions, coverage and the failing input; return whether none is."""
    with tempfile.TemporaryDirectory() as work:
        command = [
            *(sys.executable, str(Path(__file__).resolve()), _INSIDE, name),
            f"-max_total_time={seconds}",
            *("-timeout=20", f"-rss_limit_mb={MEMORY_MB}", "-max_len=4097", "-print_final_stats=1"),
            *(f"-artifact_prefix={work}/", work),
            *([str(CORPUS / name)] if (CORPUS / name).is_dir() else []),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        log = done.stdout + done.stderr
        units = re.findall(r"number_of_executed_units:\s+(\d+)", log)
        coverage = re.findall(r"cov: (\d+)", log)
        print(
            f"{name:10} {int(units[-1]) if units else 0:>10,} executions, coverage "
            f"{coverage[-1] if coverage else '?'}, {'passed' if not done.returncode else 'FAILED'}",
            flush=True,
        )
        if done.returncode:
            _, _, cause = log.partition(_FAULT)
            print((cause or log)[:4_000])
            for file in Path(work).glob("*-*"):
                if file.name.startswith(("crash", "timeout", "oom")):
                    print(file.name, file.read_bytes()[:2_000])
        return not done.returncode


def fuzz(name: str, options: list[str]) -> None:
    """Run libFuzzer in this process."""
    import atheris

    with atheris.instrument_imports(include=["kinfolio", "json", "csv", "tomllib", "lark"]):
        from tests.fuzz.targets import call

        for file in (CORPUS / name).iterdir():  # targets import what they need when they are called
            call(name, file.read_bytes())

    def run_once(data: bytes) -> None:
        try:
            call(name, data)
        except BaseException:  # libFuzzer ends the process before the interpreter prints it
            print(_FAULT, traceback.format_exc(), file=sys.stderr, flush=True)
            raise

    atheris.Setup([sys.argv[0], *options], run_once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
