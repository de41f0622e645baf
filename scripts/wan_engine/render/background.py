"""Work beside the rendering: a thread whose errors reach the rendering thread."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """A thread that runs `work` while its context is entered.

    Both sides change what they share only while they hold `changed`, and notify it. Leaving the context sets `closing`,
    and `failed` too when an exception passes, and waits for the thread; an error of `work` is then raised, unless the
    rendering has its own.
    """

    def __init__(self, name: str) -> None:
        self.changed = threading.Condition()
        self.closing = False
        self.failed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """What the thread does; it must end soon after `closing` is set."""

    def raise_error(self) -> None:
        """Raise what `work` raised, if it did."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.changed:
            self.closing = True
            self.failed = kind is not None
            self.changed.notify()
        self._thread.join()
        if kind is None:
            self.raise_error()

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - handed to the rendering thread, which raises it
            self._error = error
