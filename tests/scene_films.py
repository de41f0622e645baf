"""Films of known scenes: clips of ffmpeg's sources and of panned textures, joined by cuts, dissolves and fades."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wan_engine.media.encode import EncodeOptions, FilmEncoder
from wan_engine.media.tools import find_ffmpeg
from wan_engine.tools.scenes.transitions import Transition

WIDTH, HEIGHT, FPS = 192, 108, 24
Frames = NDArray[np.float32]

SOURCES = (
    "mandelbrot=s=192x108:r=24:start_scale=0.6:end_scale=0.1:end_pts=400",
    "testsrc2=s=192x108:r=24",
    "gradients=s=192x108:r=24:speed=0.005:seed=7:n=4",
    "mandelbrot=s=192x108:r=24:start_x=-0.74:start_y=0.12:start_scale=0.2:end_scale=0.02:end_pts=400",
    "smptebars=s=192x108:r=24",
)


def source_clip(source: str, frames: int) -> Frames:
    """Frames of one of ffmpeg's own sources, with a square that moves over them."""
    moving = f"{source}[a];color=white:s=30x30:r=24[b];[a][b]overlay=x='20+t*25':y='30+20*sin(t*2)'"
    command = find_ffmpeg().command(
        *("-f", "lavfi", "-i", moving, "-frames:v", str(frames), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    )
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(frames, HEIGHT, WIDTH, 3).astype(np.float32)


def texture_clip(seed: int, frames: int) -> Frames:
    """A camera that pans over a texture with the spectrum of photographs (1/f), in colours and a pace of its own."""
    random = np.random.default_rng(seed)
    size = 512
    distance = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    distance[0, 0] = 1.0
    noise = random.normal(size=(3, size, size)) + 1j * random.normal(size=(3, size, size))
    texture = np.real(np.fft.ifft2(noise / distance**1.3)).transpose(1, 2, 0)
    texture = texture / texture.std(axis=(0, 1)) * random.uniform(25, 45) + random.uniform(60, 190, size=3)
    texture = texture.clip(0, 255).astype(np.float32)
    start, pace = random.integers(0, size, 2), random.uniform(-1.5, 1.5, 2)
    rolled = [
        np.roll(texture, tuple(-(start + pace * number).astype(int)), axis=(0, 1))[:HEIGHT, :WIDTH]
        for number in range(frames)
    ]
    clip = np.stack(rolled)
    for number, frame in enumerate(clip):  # something that moves by itself
        x = int(40 + number * random.uniform(0.2, 0.25)) % (WIDTH - 30)
        frame[50:80, x : x + 24] = 255 - frame[50:80, x : x + 24]
    return clip


@dataclass(frozen=True)
class Join:
    """How a clip goes over into the next one. frames: how long it takes; kind: cut, dissolve, fade."""

    kind: str
    frames: int = 0


def joined(clips: list[Frames], joins: list[Join]) -> tuple[NDArray[np.uint8], list[Transition]]:
    """The film, and its true transitions. A dissolve takes its frames from both clips, a fade has its own."""
    film: list[Frames] = []
    truth: list[Transition] = []
    rest = clips[0]
    for after, join in zip(clips[1:], joins, strict=True):
        count = join.frames
        at = sum(len(part) for part in film) + len(rest)
        weights = (np.arange(1, count + 1, dtype=np.float32) / (count + 1))[:, None, None, None]
        if join.kind == "cut":
            film.append(rest)
            truth.append(Transition(at, at, "cut", 1.0))
            rest = after
        elif join.kind == "dissolve":
            film += [rest[:-count], rest[-count:] * (1 - weights) + after[:count] * weights]
            truth.append(Transition(at - count, at, "dissolve", 1.0))
            rest = after[count:]
        else:
            film += [rest[:-count], rest[-count:] * (1 - weights), np.zeros_like(rest[:4]), after[:count] * weights]
            truth.append(Transition(at - count, at + count + 4, "fade", 1.0))
            rest = after[count:]
    return np.concatenate([*film, rest]).round().clip(0, 255).astype(np.uint8), truth


def write_film(path: Path, frames: NDArray[np.uint8]) -> Path:
    """The frames as a film at 24 frames a second."""
    count, height, width, _ = frames.shape
    options = EncodeOptions(path, width, height, Fraction(FPS), count, encoder="software", preset="veryfast", crf=20)
    with FilmEncoder(options) as encoder:
        for frame in frames:
            encoder.write(frame)
    return path


def score(found: list[Transition], truth: list[Transition], near: int = 2) -> tuple[float, list[Transition]]:
    """F1, and what was missed or found where nothing is; right is what meets a true transition within `near` frames."""
    left = list(found)
    missed = []
    for true in truth:
        hit = next((each for each in left if true.start - near <= each.middle <= true.end + near), None)
        if hit is None:
            missed.append(true)
        else:
            left.remove(hit)
    right = len(truth) - len(missed)
    return 2 * right / (len(found) + len(truth)) if truth or found else 1.0, missed + left


def blocks_of(frames: NDArray[np.uint8], size: int = 100) -> Iterator[NDArray[np.uint8]]:
    """The frames as a detector gets them."""
    edges = [*range(0, len(frames), size), len(frames)]
    return (frames[first:end] for first, end in pairwise(edges))
