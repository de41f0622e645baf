"""Finds the ffmpeg to use and tries which of its encoders really work on this machine.

A build lists encoders that the machine cannot run (NVENC without a driver, for example), so each is tried by encoding
one frame.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wan_engine.errors import MediaError

logger = logging.getLogger(__name__)

ENCODERS = ("h264_nvenc", "hevc_nvenc", "libx264", "libx265", "gif", "ffv1")
"""The encoders the engine knows how to use."""

MINIMUM_SYSTEM_VERSION = (6, 1)
"""Oldest system ffmpeg that is taken in place of the embedded one."""

GLOBAL_OPTIONS = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
"""Put before everything else: ask nothing, say errors only, overwrite (the targets are temporary names)."""

INPUT_OPTIONS = ("-protocol_whitelist", "file,pipe")
"""Put before every input: local files and our own pipe, never the network."""

_TRY_SIZE = 256
_TRY_SECONDS = 60
_BELIEVED_SECONDS = 60
_SHOWN_LINES = 2
_SPEAKER = re.compile(r"^(\[[^\]]*\]\s*)+")


@dataclass(frozen=True)
class Ffmpeg:
    """An ffmpeg that starts.

    path: the program.  version: as it says itself, `9.0.2`.  source: WAN_FFMPEG, system or embedded.
    """

    path: str
    version: str
    source: str

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The version as numbers; None for a snapshot build, which has none."""
        found = re.match(r"n?(\d+(?:\.\d+)*)", self.version)
        return tuple(int(part) for part in found[1].split(".")) if found else None

    def command(self, *arguments: str) -> list[str]:
        """The command line for these arguments."""
        return [self.path, *GLOBAL_OPTIONS, *arguments]


def find_ffmpeg() -> Ffmpeg:
    """The ffmpeg to use: `WAN_FFMPEG` if set; a system one of 6.1 or newer whose NVENC works; else the embedded one.

    Raises MediaError when `WAN_FFMPEG` names nothing that starts, or there is none at all.
    """
    return _find(os.environ.get("WAN_FFMPEG", "").strip(), shutil.which("ffmpeg") or "")


@lru_cache(maxsize=8)
def _find(override: str, system: str) -> Ffmpeg:
    if override:
        try:
            return _asked(override, "WAN_FFMPEG")
        except MediaError as error:
            raise MediaError(error.message, "Correct WAN_FFMPEG or remove it") from error
    installed = _system(system) if system else None
    if installed and _is_new_enough(installed) and not try_encoder(installed, "h264_nvenc"):
        return installed
    try:
        return _embedded()
    except MediaError as error:
        if installed is None:
            raise
        logger.warning("the embedded ffmpeg cannot be used, taking %s: %s", installed.path, error)
        return installed


def _is_new_enough(ffmpeg: Ffmpeg) -> bool:
    return ffmpeg.numbers is None or ffmpeg.numbers >= MINIMUM_SYSTEM_VERSION


def _system(path: str) -> Ffmpeg | None:
    try:
        return _asked(path, "system")
    except MediaError as error:
        logger.info("the system's ffmpeg is left alone: %s", error)
        return None


def _embedded() -> Ffmpeg:
    remedy = "Install ffmpeg, or set WAN_FFMPEG to one"
    try:
        import imageio_ffmpeg

        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise MediaError(f"there is no embedded ffmpeg: {error}", remedy) from error
    return _asked(path, "embedded")


def _asked(path: str, source: str) -> Ffmpeg:
    """Start it and read its version. Raises MediaError when it does not start or is no ffmpeg."""
    try:
        answer = subprocess.run(  # noqa: S603 - the user's or our own program, no shell
            [path, "-hide_banner", "-version"], capture_output=True, timeout=_TRY_SECONDS, check=False, **quiet_start()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MediaError(f"{path} cannot be started: {error}", "Install ffmpeg, or set WAN_FFMPEG to one") from error
    found = re.match(r"ffmpeg version (\S+)", answer.stdout.decode("utf-8", "replace"))
    if answer.returncode or not found:
        raise MediaError(f"{path} is not an ffmpeg that works", "Install ffmpeg, or set WAN_FFMPEG to one")
    return Ffmpeg(path, found[1], source)


def try_encoder(
    ffmpeg: Ffmpeg, encoder: str, pixel_format: str = "", width: int = _TRY_SIZE, height: int = _TRY_SIZE
) -> str:
    """Encode one black frame. Returns "" when it works, else ffmpeg's reason. What worked once is not tried again.

    A failure is believed for a minute: a batch of films would wait for it again and again.
    pixel_format: the encoder's input format, "" for its first. The size matters: NVENC has a smallest picture.
    """
    minute = int(time.monotonic() // _BELIEVED_SECONDS)
    return _failure(ffmpeg, encoder, pixel_format, width, height, minute)


@lru_cache(maxsize=256)
def _failure(ffmpeg: Ffmpeg, encoder: str, pixel_format: str, width: int, height: int, minute: int) -> str:
    try:
        _encode_once(ffmpeg, encoder, pixel_format, width, height)
    except MediaError as error:
        return error.message
    return ""


@lru_cache(maxsize=256)
def _encode_once(ffmpeg: Ffmpeg, encoder: str, pixel_format: str, width: int, height: int) -> None:
    target = ("-pix_fmt", pixel_format) if pixel_format else ()
    arguments = (
        *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}", "-framerate", "16"),
        *("-i", "pipe:0", "-frames:v", "1", "-c:v", encoder, *target, "-f", "null", "-"),
    )
    run_ffmpeg(ffmpeg, arguments, bytes(width * height * 3), _TRY_SECONDS)


def run_ffmpeg(ffmpeg: Ffmpeg, arguments: Sequence[str], data: bytes = b"", seconds: float | None = None) -> None:
    """Run ffmpeg to its end. Raises MediaError with what it said when it fails or takes longer than `seconds`."""
    try:
        answer = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            ffmpeg.command(*arguments), input=data, capture_output=True, timeout=seconds, check=False, **quiet_start()
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError(f"ffmpeg gave no answer in {seconds} seconds") from error
    except OSError as error:
        raise _not_started(ffmpeg, error) from error
    if answer.returncode:
        words = said_words(answer.stderr.decode("utf-8", "replace").splitlines())
        raise MediaError(words or f"ffmpeg ended with code {answer.returncode}")


def start_ffmpeg(
    ffmpeg: Ffmpeg, arguments: Sequence[str], stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Begin ffmpeg; what it says comes by its stderr, which has to be read. Raises MediaError when it cannot start."""
    command = ffmpeg.command(*arguments)
    try:
        return subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, **quiet_start()
        )
    except OSError as error:
        raise _not_started(ffmpeg, error) from error


def _not_started(ffmpeg: Ffmpeg, error: OSError) -> MediaError:
    return MediaError(f"{ffmpeg.path} cannot be started: {error}", "Install ffmpeg or set WAN_FFMPEG")


def said_words(said: list[str]) -> str:
    """What ffmpeg said, for a message: its first lines name the cause and its last ones the end; each once."""
    lines = [line for line in dict.fromkeys(_SPEAKER.sub("", line).strip().rstrip(".") for line in said) if line]
    if len(lines) > 2 * _SHOWN_LINES:
        lines = [*lines[:_SHOWN_LINES], "...", *lines[-_SHOWN_LINES:]]
    return "; ".join(lines)


def quiet_start() -> dict[str, Any]:
    """How child processes are started: no console window, and Ctrl-C reaches the engine only, which ends them."""
    if os.name == "nt":
        return {"creationflags": 0x08000000 | 0x00000200}  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP
    return {"start_new_session": True}


def file_url(path: object) -> str:
    """A local file's name for ffmpeg: a leading dash or `http:` in it means nothing."""
    return f"file:{os.path.abspath(str(path))}"  # noqa: PTH100 - Path.absolute keeps `..`, which ffmpeg need not see
