"""Options of every command to see inside: `--trace`, `--log-json`, and spans to a collector."""

from __future__ import annotations

import click

from kinfolio.cli.output import json_log, log, print_message
from kinfolio.telemetry.recorder import Recorder, has_collector, recording

_TRACE = "kinfolio.trace"


def observed(command: click.Command) -> click.Command:
    """Add the options to a command and to its subcommands, once."""
    if not any(option.name == "log_json" for option in command.params):
        command.params += [_log_option(), _trace_option()]
    if isinstance(command, click.Group):
        for one in command.commands.values():
            observed(one)
    return command


def _log_option() -> click.Option:
    return click.Option(
        ["--log-json"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        envvar="KINFOLIO_LOG_JSON",
        callback=_set_log,
        help="Print messages on stderr as JSON, one document a line.  [env: KINFOLIO_LOG_JSON]",
    )


def _trace_option() -> click.Option:
    return click.Option(
        ["--trace"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_start_trace,
        help="Print the time of each step on stderr at the end.",
    )


def _set_log(_: click.Context, __: click.Parameter, is_set: bool) -> None:
    if is_set:
        json_log.set(True)


def _start_trace(ctx: click.Context, _: click.Parameter, is_set: bool) -> None:
    # A subcommand starts the trace of a group, unless the option is given to the group.
    is_named = is_set or (has_collector() and not isinstance(ctx.command, click.Group))
    if not is_named or ctx.meta.get(_TRACE) or ctx.resilient_parsing:
        return
    ctx.meta[_TRACE] = True  # shared with subcommands
    root = ctx.find_root()
    recorder = Recorder()
    if is_set:
        root.call_on_close(lambda: _print_trace(recorder))
    root.with_resource(recording(recorder, ctx.command_path))


def _print_trace(recorder: Recorder) -> None:
    steps = recorder.steps()
    if json_log.get():
        log("trace", steps=steps)
        return
    print_message(" seconds  calls  step")
    for one in steps:
        print_message(f"{one.seconds:8.3f} {one.calls:6,}  {'  ' * one.depth}{one.step}")
