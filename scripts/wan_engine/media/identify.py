"""Tells what a file from outside is, by its content alone: a picture, a film or sound that the engine reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from wan_engine.errors import MediaError
from wan_engine.media.opening import SOUND_CONTAINERS, opened, sound_stream
from wan_engine.media.pictures import picture_format, picture_size, read_picture
from wan_engine.media.probe import MAX_SECONDS, probe

_ENDINGS = {"matroska": ".mkv", "mpegts": ".ts", "asf": ".wmv", "ogg": ".ogv"}
"""Of films, by the first of ffmpeg's names of the container, where the ending is another word."""
_SOUND_ENDINGS = {"mov": ".m4a", "matroska": ".mka", "asf": ".wma", "mpegts": ".ts"}


@dataclass(frozen=True)
class MediaKind:
    """What a file is.

    ending: of its name, with the dot, by its content.  width, height: in pixels, as it is seen; None for sound.
    seconds: its length; None for a picture.
    """

    kind: Literal["picture", "film", "sound"]
    ending: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


def identify(path: Path) -> MediaKind:
    """Look into the file; the whole picture, or a piece of the film or sound, is decoded.

    An animated GIF is a film. Raises MediaError for anything that the engine does not read, that is damaged, too large
    or too long.
    """
    known = picture_format(path)
    if known is not None and known != "animation":
        width, height = picture_size(path)
        read_picture(path, width, height, "stretch")
        return MediaKind("picture", f".{known}", width, height)
    try:
        film = probe(path)
    except MediaError as no_film:
        try:
            return _sound(path)
        except MediaError:
            raise no_film from None
    name = film.container.split(",")[0]
    ending = ".mp4" if name == "mov" else _ENDINGS.get(name, f".{name}")
    return MediaKind("film", ending, film.width, film.height, float(film.duration))


def _sound(path: Path) -> MediaKind:
    with opened(path, SOUND_CONTAINERS) as container:
        stream = sound_stream(path, container)
        if stream is None or next(container.decode(stream), None) is None:
            raise MediaError(f"{path} holds no sound that can be decoded", "Give another file")
        seconds = Fraction(container.duration or 0, 1_000_000)
        if seconds > MAX_SECONDS:
            raise MediaError(f"{path} is longer than {MAX_SECONDS // 3600} hours", "Cut it first")
        name = container.format.name.split(",")[0]
        return MediaKind("sound", _SOUND_ENDINGS.get(name, f".{name}"), seconds=float(seconds))
