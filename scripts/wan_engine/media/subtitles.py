"""Writes the prompts of a film as SubRip subtitles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from wan_engine.storage.atomic import write_text

_ARROW = re.compile(r"-+(?=->)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def write_srt(path: Path, entries: Iterable[tuple[int, int, str]], fps: Fraction) -> None:
    """Write subtitles: each entry is its first film frame, its end frame (exclusive) and its text.

    Times are cut to whole milliseconds, as Deforum writes them, so an entry ends exactly where the next begins.
    Entries without text or length are left out. Raises StorageError.
    """
    blocks: list[str] = []
    for start, end, text in entries:
        cleaned = srt_text(text)
        if not cleaned or end <= start:
            continue
        number = len(blocks) + 1
        blocks.append(f"{number}\n{srt_time(start, fps)} --> {srt_time(end, fps)}\n{cleaned}\n")
    write_text(path, "\n".join(blocks))


def srt_time(frame: int, fps: Fraction) -> str:
    """When a film frame begins: `00:00:04,166`, cut to whole milliseconds."""
    milliseconds = int(Fraction(frame * 1000) / fps)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d},{milliseconds:03d}"


def srt_text(text: str) -> str:
    """A prompt as it can stand in a subtitle: no blank lines and no `-->`, for both would end the entry."""
    lines = (_CONTROL.sub("", line).strip() for line in text.splitlines())
    return _ARROW.sub("", "\n".join(line for line in lines if line)).replace("-->", "->")
