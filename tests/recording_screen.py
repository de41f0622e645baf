"""A command line's screen whose stderr is kept for the test to read."""

from __future__ import annotations

import io
import re

from rich.console import Console

from service_samples import wait_until
from wan_engine.cli.screen import Screen


class RecordingScreen(Screen):
    """A screen whose stderr is kept. coloured: with the codes of sixteen colours."""

    def __init__(self, terminal: bool, coloured: bool = False) -> None:
        super().__init__()
        self.__dict__["file"] = io.StringIO()
        self.__dict__["err"] = Console(
            file=self.__dict__["file"],
            width=100,
            force_terminal=terminal,
            color_system="standard" if coloured else None,
            highlight=False,
            _environ={"TERM": "xterm"},
        )

    def text(self) -> str:
        """All that was written."""
        text: str = self.__dict__["file"].getvalue()
        return text

    def shown(self) -> str:
        """All that was written, without the codes of a terminal."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text())

    def wait_for(self, words: str) -> None:
        """Wait until these words were written: what lives in a terminal is drawn now and then, by a thread."""
        wait_until(lambda: words in self.shown())
