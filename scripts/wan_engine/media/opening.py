"""Opens films and sounds the safe way: local files only, known containers and codecs only, no playlists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wan_engine.errors import MediaError
from wan_engine.media.tools import file_url

PROTOCOLS = "file,pipe"

FILM_CONTAINERS = "mov,mp4,m4a,3gp,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif"
SOUND_CONTAINERS = f"{FILM_CONTAINERS},wav,w64,mp3,flac,aac,aiff"
"""ffmpeg's names of demuxers. Those that open further files or addresses (hls, concat, dash, image2) are not here."""

FILM_CODECS = (
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v3", "h263", "flv1"),
    *("vc1", "wmv1", "wmv2", "wmv3", "theora", "mjpeg", "prores", "dnxhd", "ffv1", "huffyuv", "ffvhuff", "utvideo"),
    *("rawvideo", "png", "gif"),
)
SOUND_CODECS = ("aac", "mp2", "mp3", "opus", "vorbis", "flac", "alac", "ac3", "eac3", "dts", "wmav1", "wmav2")
"""ffmpeg's names of codecs; uncompressed sound (pcm and adpcm of all kinds) is read too."""

_REMEDY = "Convert it to mp4 first, or take another file"


@contextmanager
def opened(path: Path, containers: str) -> Iterator[Any]:
    """An open PyAV container; whatever ffmpeg finds wrong inside the block becomes a MediaError too."""
    import av

    if not path.is_file():
        raise MediaError(f"{path} is not there", "Correct the path")
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": containers}
    try:
        with av.open(file_url(path), options=options, metadata_errors="replace") as container:
            yield container
    except av.FFmpegError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}", _REMEDY) from error


def film_stream(path: Path, container: Any) -> Any:
    """The first stream of moving pictures; a sound file's cover does not count. Raises MediaError."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
        if codec not in FILM_CODECS:
            raise MediaError(f"{path} is coded as {codec}, which is not read", _REMEDY)
        return stream
    raise MediaError(f"{path} holds no film", "Give a film such as mp4, mkv, mov or webm")


def sound_stream(path: Path, container: Any) -> Any | None:
    """The first stream of sound, None if there is none. Raises MediaError for a codec that is not read."""
    stream = next(iter(container.streams.audio), None)
    if stream is None:
        return None
    codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
    if codec not in SOUND_CODECS and not codec.startswith(("pcm_", "adpcm_")):
        raise MediaError(f"the sound of {path} is coded as {codec}, which is not read", _REMEDY)
    return stream
