"""Films whose frames carry their number in their pixels, with clicks in the sound, to see that cuts are exact."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

BITS, BLOCK, WIDTH, HEIGHT = 12, 16, 208, 112
RATE = 48_000
CLICK_EVERY = 10
"""There is a click at the time of each frame of such a number."""
TICK = Fraction(1, 90_000)
COLOURS = ((200, 30, 30), (30, 160, 40), (40, 60, 220), (230, 210, 60))


@dataclass(frozen=True)
class CodedFilm:
    """What is written. times: of the frames, in seconds.  tracks: of sound.  extra: for the encoder.

    scene: frames after which the lower half of the picture takes another colour; 0 for never.
    """

    path: Path
    times: tuple[Fraction, ...]
    tracks: int = 1
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    extra: dict[str, str] = field(default_factory=lambda: {"bf": "3", "g": "48", "preset": "veryfast", "crf": "20"})
    interlaced: bool = False
    scene: int = 0


def constant(count: int, fps: Fraction, start: Fraction = Fraction(0)) -> tuple[Fraction, ...]:
    """Times at a constant rate."""
    return tuple(start + number / fps for number in range(count))


def varying(count: int, seed: int = 4) -> tuple[Fraction, ...]:
    """Times with gaps between 1/60 and 1/8 second."""
    gaps = np.random.default_rng(seed).integers(1500, 11_250, count)
    return tuple(Fraction(int(tick), 90_000) for tick in np.cumsum(gaps) - gaps[0])


def coded_frame(number: int) -> NDArray[np.uint8]:
    """A frame with its number in black and white blocks over moving bars."""
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[:] = ((np.arange(WIDTH) * 3 + number * 5) % 200)[None, :, None]
    for bit in range(BITS):
        frame[8:40, 8 + bit * BLOCK : 8 + (bit + 1) * BLOCK] = 255 if number >> bit & 1 else 0
    return frame


def number_of(frame: NDArray[np.uint8]) -> int:
    """The number in a frame of any size."""
    height, width = frame.shape[:2]
    row = round(24 * height / HEIGHT)
    columns = [round((8 + (bit + 0.5) * BLOCK) * width / WIDTH) for bit in range(BITS)]
    near = frame[row - 1 : row + 2]
    return sum(1 << bit for bit, column in enumerate(columns) if near[:, column - 1 : column + 2].mean() > 127)


def write_coded_film(film: CodedFilm) -> Path:
    """Write it with PyAV, each frame at its own time."""
    with av.open(str(film.path), "w") as out:
        video: Any = out.add_stream(film.codec, rate=24, options=film.extra)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, film.pixel_format
        video.time_base = video.codec_context.time_base = TICK
        sounds = [out.add_stream("aac", rate=RATE) for _ in range(film.tracks)]
        for number, time in enumerate(film.times):
            picture = coded_frame(number)
            if film.scene:
                picture[HEIGHT // 2 :] = COLOURS[number // film.scene % len(COLOURS)]
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = round(time / TICK), TICK
            out.mux(video.encode(frame))
        out.mux(video.encode())
        for sound in sounds:
            _write_clicks(out, sound, film.times)
    return film.path


def _write_clicks(out: Any, sound: Any, times: tuple[Fraction, ...]) -> None:
    samples = np.zeros(int((times[-1] + 1) * RATE), np.float32)
    for time in times[::CLICK_EVERY]:
        at = round(time * RATE)
        samples[at : at + 48] = 0.9
    for start in range(0, len(samples) - 1024, 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        out.mux(sound.encode(frame))
    out.mux(sound.encode())


def read_numbers(path: Path) -> tuple[list[int], list[Fraction]]:
    """The numbers in a film's frames, and their times."""
    with av.open(str(path)) as film:
        frames = [
            (number_of(frame.to_ndarray(format="rgb24")), frame.pts * frame.time_base) for frame in film.decode(video=0)
        ]
    return [number for number, _ in frames], [time for _, time in frames]


def read_clicks(path: Path, track: int = 0) -> list[float]:
    """The times at which clicks begin in a film's sound, in seconds."""
    with av.open(str(path)) as film:
        parts = [(float(f.pts * f.time_base), f.to_ndarray()[0]) for f in film.decode(film.streams.audio[track])]
    clicks: list[float] = []
    for start, samples in parts:
        for at in np.flatnonzero(np.abs(samples) > 0.4):
            time = start + int(at) / RATE
            if not clicks or time - clicks[-1] > 0.01:
                clicks.append(time)
    return clicks


def sound_errors(path: Path, track: int = 0) -> list[float]:
    """How far each click is from the frame that it belongs to, in seconds."""
    numbers, times = read_numbers(path)
    wanted = [
        float(time)
        for number, time in zip(numbers, times, strict=True)
        # At the very ends a click may lie half outside.
        if number % CLICK_EVERY == 0 and number not in (numbers[0], numbers[-1])
    ]
    clicks = read_clicks(path, track)
    return [min((abs(click - each) for click in clicks), default=1.0) for each in wanted]
