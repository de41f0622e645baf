"""Where a verb writes: results to stdout, everything else to stderr, and nothing a terminal could misread.

With `--json` stdout holds exactly one JSON document. Text from the user (prompts, file names, messages of errors) goes
through `shown`, so that neither rich's markup nor control characters in it are obeyed.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

from wan_engine.storage.places import size_words as size_words

if TYPE_CHECKING:
    from rich.console import Console

LOG_HANDLER = "wan-engine command line"
"""Name of the handler that `start_logging` adds, and replaces when it is called again."""


@dataclass(frozen=True)
class Screen:
    """How one call of the command line writes.

    json: stdout holds one JSON document.  plain: no colours, bars or control characters, even in a terminal.
    verbose: log messages and tracebacks are shown.
    """

    json: bool = False
    plain: bool = False
    verbose: bool = False

    @cached_property
    def out(self) -> Console:
        """The console for results: stdout, or stderr with `--json`."""
        return _console(sys.stderr if self.json else sys.stdout, self.plain)

    @cached_property
    def err(self) -> Console:
        """The console for progress, notes and errors: stderr."""
        return _console(sys.stderr, self.plain)

    def is_rich(self, console: Console) -> bool:
        """Whether tables, colours and bars fit this console: a terminal, and the user did not ask for plain text."""
        return console.is_terminal and not console.is_dumb_terminal and not self.plain and not console.no_color

    def line(self, console: Console, text: str, style: str = "") -> None:
        """Write `text` literally, as one line a newline in it."""
        from rich.text import Text

        # A style given to print would colour the bars that are drawn below the line too.
        console.print(Text(shown(text), style=style), soft_wrap=True)

    def document(self, value: Any) -> None:
        """Write the JSON document that is this call's result on stdout."""
        write_json(value, indent=2)

    def start_logging(self) -> None:
        """Send log messages to stderr: warnings, or with `--verbose` everything the engine says."""
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        if self.is_rich(self.err):
            from rich.logging import RichHandler

            handler = RichHandler(console=self.err, markup=False, highlighter=None, show_path=False)
        handler.name = LOG_HANDLER
        root = logging.getLogger()
        for old in [each for each in root.handlers if each.name == LOG_HANDLER]:
            root.removeHandler(old)
        root.addHandler(handler)
        root.setLevel(logging.INFO if self.verbose else logging.WARNING)
        logging.getLogger("wan_engine").setLevel(logging.DEBUG if self.verbose else logging.WARNING)


def _console(stream: TextIO, plain: bool) -> Console:
    from rich.console import Console

    return Console(file=stream, no_color=plain or None, color_system=None if plain else "auto", highlight=False)


def write_json(value: Any, indent: int | None = None) -> None:
    """Write one JSON document and a newline to stdout."""
    sys.stdout.write(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def shown(text: str) -> str:
    r"""The text with control characters made visible (`\x1b`); newlines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)


def one_line(text: str, width: int = 0) -> str:
    """The text on one line, with all white space as single spaces; cut to `width` characters if that is above 0."""
    flat = shown(" ".join(text.split()))
    return flat if not width or len(flat) <= width else flat[: width - 1] + "…"


def time_words(seconds: float) -> str:
    """A time for people: `42 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def command_words(*words: str) -> str:
    """A command as it is typed, its words in quotes where this machine's shell wants them."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def prepare_streams() -> None:
    """Make stdout and stderr take any text: UTF-8 in pipes and files, escapes for what a terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def silence_stdout() -> None:
    """After the reader of a pipe has gone: let the interpreter's last flush write into nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
