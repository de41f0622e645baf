"""The command line's entry: the verbs together, and the exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from wan_engine import __version__
from wan_engine.cli.bench import bench
from wan_engine.cli.bench_memory import memory
from wan_engine.cli.doctor import doctor
from wan_engine.cli.errors import UNEXPECTED, show_error
from wan_engine.cli.export import export
from wan_engine.cli.flf import flf_verb
from wan_engine.cli.jobs import jobs
from wan_engine.cli.keyframes import keyframes
from wan_engine.cli.models import models
from wan_engine.cli.outpaint import outpaint
from wan_engine.cli.plan import plan
from wan_engine.cli.prompts import prompts
from wan_engine.cli.render import render
from wan_engine.cli.screen import Screen, prepare_streams, silence_stdout
from wan_engine.cli.seams import seams
from wan_engine.cli.serve import serve
from wan_engine.cli.split import split
from wan_engine.cli.storyboard import storyboard
from wan_engine.cli.values import values

app = typer.Typer(
    name="wan-engine",
    help="Turns prompt schedules into films with Wan video models.",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _verb in (plan, render, prompts, export, seams, doctor, serve, jobs, split, outpaint, storyboard, keyframes):
    app.command()(_verb)
app.command(name="flf")(flf_verb)
# A schedule may begin with a minus sign; it must not be taken for an unknown flag.
app.command(context_settings={"ignore_unknown_options": True})(values)
app.add_typer(models, name="models")
bench.command("memory")(memory)
app.add_typer(bench, name="bench")


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"wan-engine {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help())
        raise typer.Exit(2)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; `arguments` are the process's own if not given."""
    prepare_streams()
    # The libraries' own bars would be drawn over ours, and into plain text.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    words = sys.argv[1:] if arguments is None else arguments
    screen = Screen(json="--json" in words, plain="--plain" in words, verbose="--verbose" in words)
    try:
        code = typer.main.get_command(app)(args=arguments, prog_name="wan-engine", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        return UNEXPECTED
    except Exception as error:  # noqa: BLE001  the last floor: every error becomes words and an exit code
        return show_error(screen, error)
    return code if isinstance(code, int) else 0
