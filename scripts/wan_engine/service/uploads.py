"""Takes in files from clients: named by the engine after their own names, kept only when they are a picture, a film or
sound."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any

from wan_engine.errors import MediaError
from wan_engine.media.identify import MediaKind, identify
from wan_engine.service.config import ServiceConfig
from wan_engine.storage.atomic import AtomicPath, storage_error
from wan_engine.storage.places import check_free_space

_LOOK_EVERY = 64 * 2**20
"""Bytes between two looks at the free space."""

_MOST_LETTERS = 40
"""Of a file's own name that stay in ours."""


class Upload:
    """One file that is coming in: `write` each piece, then `keep`; `discard` gives it up. Not for two threads at once.

    size: what the client says it will send, in bytes, 0 if it does not. Raises StorageError, also in `write`, when the
    disk has not enough free.
    """

    def __init__(self, config: ServiceConfig, name: str, size: int = 0) -> None:
        self._config = config
        self._name = name
        self._target = AtomicPath(config.uploads / _name_for(name))
        self._written = 0
        self._next_look = _LOOK_EVERY
        check_free_space(config.uploads, config.min_free_bytes + size)
        try:
            self._file = self._target.part.open("xb")
        except OSError as error:
            raise storage_error(self._target.part, error) from error

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise storage_error(self._target.part, error) from error
        self._written += len(piece)
        if self._written >= self._next_look:
            self._next_look += _LOOK_EVERY
            check_free_space(self._config.uploads, self._config.min_free_bytes)

    def keep(self) -> dict[str, Any]:
        """Look what it is and let it appear; its path and kind. Raises MediaError for what is not read."""
        self._file.close()
        try:
            found = identify(self._target.part)
        except MediaError as error:
            # The name on disk is ours and says nothing to the client.
            raise MediaError(error.message.replace(str(self._target.part), self._name), error.remedy) from error
        place = self._target.path.with_suffix(found.ending)
        named = AtomicPath(place)
        self._target.part.rename(named.part)
        named.commit()
        return self._answer(place, found)

    def _answer(self, place: Path, found: MediaKind) -> dict[str, Any]:
        size = {"width": found.width, "height": found.height, "seconds": found.seconds, "size": self._written}
        return {"path": str(place), "kind": found.kind, **size}

    def discard(self) -> None:
        """Leave nothing behind; nothing happens after `keep`."""
        self._file.close()
        self._target.discard()


def _name_for(name: str) -> str:
    """A name without ending that no other file has: jobs and films are called by it."""
    words = re.sub(r"\W+", "_", Path(name).stem)[:_MOST_LETTERS].strip("_")
    return "-".join(filter(None, (words, secrets.token_hex(6))))
