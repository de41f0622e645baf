"""The film's soundtrack: checked before rendering, then placed, cut to the film's length and encoded with it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from wan_engine.errors import MediaError
from wan_engine.media.opening import SOUND_CONTAINERS, opened, sound_stream
from wan_engine.media.tools import INPUT_OPTIONS, file_url

SAMPLE_RATE = 48_000
"""Of the film's sound, in samples a second: the usual rate of film sound, so offsets are exact to 1/48 ms."""
BIT_RATE = "192k"


def check_soundtrack(path: Path, offset: float = 0.0) -> None:
    """Raise MediaError unless `path` holds sound that can be decoded, and some is left after a negative offset."""
    with opened(path, SOUND_CONTAINERS) as container:
        stream = sound_stream(path, container)
        if stream is None:
            raise MediaError(f"{path} holds no sound", "Give a sound file, or a film that has sound")
        if next(container.decode(stream), None) is None:
            raise MediaError(f"the sound of {path} cannot be decoded", "Give another soundtrack")
        if container.duration and Fraction(container.duration, 1_000_000) <= -Fraction(offset):
            seconds = container.duration / 1_000_000
            message = f"a soundtrack_offset of {offset:g} leaves nothing of {path}, which is {seconds:.2f} seconds long"
            raise MediaError(message, "Give a smaller negative offset")


def sound_arguments(path: Path, offset: float, seconds: Fraction) -> tuple[list[str], list[str]]:
    """ffmpeg's arguments for the sound as its second input, and for the output.

    offset: second of the film at which the sound starts; negative leaves out the sound's beginning.
    seconds: the film's length; the sound ends there at the latest, and the film is never cut to the sound.
    """
    shift = round(Fraction(offset) * SAMPLE_RATE)
    place = f"adelay=delays={shift}S:all=1" if shift >= 0 else f"atrim=start_sample={-shift},asetpts=PTS-STARTPTS"
    end = int(seconds * SAMPLE_RATE)
    # async=1 and first_pts=0 fill the gap of a sound that begins later than its own file does.
    filters = f"aresample={SAMPLE_RATE}:async=1:first_pts=0,{place},atrim=end_sample={end}"
    source = [*INPUT_OPTIONS, "-format_whitelist", SOUND_CONTAINERS, "-i", file_url(path)]
    return source, ["-map", "1:a:0", "-filter:a", filters, "-c:a", "aac", "-b:a", BIT_RATE]
