"""Chooses the encoder of a film file by trying it, and says quality in that encoder's own words."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from wan_engine.errors import MediaError
from wan_engine.media.tools import Ffmpeg, try_encoder

logger = logging.getLogger(__name__)

_ENCODERS = {
    ("h264", "software"): "libx264",
    ("h264", "nvenc"): "h264_nvenc",
    ("hevc", "software"): "libx265",
    ("hevc", "nvenc"): "hevc_nvenc",
}
_NVENC_PRESETS = {
    "veryslow": "p7",
    "slower": "p7",
    "slow": "p6",
    "medium": "p5",
    "fast": "p4",
    "faster": "p3",
    "veryfast": "p2",
    "superfast": "p1",
    "ultrafast": "p1",
}
_NVENC_FORMATS = {"yuv420p10le": "p010le"}
"""NVENC's own names for the pixel formats that it calls otherwise."""

_CAUSE_LENGTH = 120
"""Most characters of ffmpeg's words in a line of the log."""


class Quality(Protocol):
    """How a film file of any size is coded.

    codec: h264 or hevc.  encoder: auto, nvenc or software.  crf: 0 is lossless, 51 the worst.  preset, pixel_format: as
    in the settings.
    """

    @property
    def codec(self) -> str: ...
    @property
    def encoder(self) -> str: ...
    @property
    def crf(self) -> int: ...
    @property
    def preset(self) -> str: ...
    @property
    def pixel_format(self) -> str: ...


class Coding(Quality, Protocol):
    """How a film file is coded. width, height: in pixels."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


@dataclass(frozen=True)
class SizedCoding:
    """A `Coding` put together."""

    width: int
    height: int
    codec: str
    encoder: str
    crf: int
    preset: str
    pixel_format: str


def sized(quality: Quality, width: int, height: int) -> SizedCoding:
    """The coding of films of one size, in pixels."""
    given = (quality.codec, quality.encoder, quality.crf, quality.preset, quality.pixel_format)
    return SizedCoding(width, height, *given)


def choose_encoder(ffmpeg: Ffmpeg, options: Coding) -> str:
    """ffmpeg's name of an encoder that has encoded a frame of this size and format just now. Raises MediaError."""
    kinds = ("nvenc", "software") if options.encoder == "auto" else (options.encoder,)
    reasons: dict[str, str] = {}
    for kind in kinds:
        name = _ENCODERS[options.codec, kind]
        reason = try_encoder(ffmpeg, name, encoder_format(name, options), options.width, options.height)
        if not reason:
            return name
        # The first of ffmpeg's words is the cause; what follows from it is there for whoever looks closer.
        logger.info("%s is not used: %s", name, reason.partition(";")[0][:_CAUSE_LENGTH])
        logger.debug("%s is not used: %s", name, reason)
        reasons[name] = reason
    said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    remedy = "Set encoder to auto or software" if options.encoder == "nvenc" else "Choose another codec or pixel_format"
    raise MediaError(f"the film cannot be encoded here: {said}", remedy)


def encoder_format(encoder: str, options: Coding) -> str:
    """The pixel format as this encoder calls it."""
    if encoder.endswith("_nvenc"):
        return _NVENC_FORMATS.get(options.pixel_format, options.pixel_format)
    return options.pixel_format


def quality_arguments(encoder: str, options: Coding) -> list[str]:
    """Preset and quality; crf 0 is each encoder's lossless mode."""
    if encoder.endswith("_nvenc"):
        preset = ["-preset", _NVENC_PRESETS[options.preset]]
        if options.crf == 0:
            return [*preset, "-tune", "lossless"]
        return [*preset, *("-tune", "hq", "-rc", "vbr", "-cq", str(options.crf), "-b:v", "0")]
    preset = ["-preset", options.preset]
    if encoder == "libx265":
        lossless = ":lossless=1" if options.crf == 0 else ""
        return [*preset, *("-crf", str(options.crf), "-x265-params", f"log-level=error{lossless}")]
    return [*preset, *(("-qp", "0") if options.crf == 0 else ("-crf", str(options.crf)))]
