"""Reads pictures of any usual kind, fits them to a size, and writes PNG files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.errors import MediaError
from wan_engine.storage.atomic import storage_error, write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

    from wan_engine.media.picture import Picture

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
"""What is read, told by the content and not by the name."""

MAX_PIXELS = 89_478_485
"""Largest picture that is opened: 256 MiB of RGB, Pillow's own bound against decompression bombs."""

_BROKEN = (
    *(ValueError, TypeError, SyntaxError, EOFError, RuntimeError, LookupError, ArithmeticError, AttributeError),
    *(struct.error, zlib.error),
)
"""What Pillow's readers raise for files whose inside is broken."""

_KNOWN = "Give a PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF picture"


def read_picture(path: Path, width: int, height: int, fit: str) -> Picture:
    """The picture as RGB of exactly `width` x `height`, shape (height, width, 3), uint8.

    fit: cover (scaled, the overhang cropped evenly), contain (scaled, black bars) or stretch. The orientation that a
    camera noted is honoured, transparent parts stand on black, 16-bit values are scaled down, and of an animation
    the first frame is taken. Raises MediaError for anything that is no whole picture, StorageError for a file that
    cannot be read.
    """
    return _to_array(_fitted(_upright_rgb(path), width, height, fit))


def fit_picture(picture: Picture, width: int, height: int, fit: str) -> Picture:
    """A picture that is already in memory, fitted like `read_picture` does."""
    from PIL import Image

    return _to_array(_fitted(Image.fromarray(picture, "RGB"), width, height, fit))


def resized(picture: Picture, width: int, height: int) -> Picture:
    """The picture in another size, with Lanczos; itself when it has that size."""
    from PIL import Image

    if picture.shape[:2] == (height, width):
        return picture
    return _to_array(Image.fromarray(picture, "RGB").resize((width, height), Image.Resampling.LANCZOS))


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as the picture is seen, turned as the camera noted. Raises like `read_picture`."""

    with _opened(path) as image:
        if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # EXIF Orientation: these lie on their side
            return image.height, image.width
        return image.width, image.height


def picture_format(path: Path) -> str | None:
    """What kind of picture the content is, as file names end: `png`, `jpg`; `animation` for a moving GIF.

    None for a file that is no picture. Raises MediaError for a picture that is damaged or too large.
    """
    from PIL import UnidentifiedImageError

    try:
        with _opened(path) as image:
            name = str(image.format).lower()
            moves = name == "gif" and getattr(image, "n_frames", 1) > 1
            return "animation" if moves else {"jpeg": "jpg", "mpo": "jpg"}.get(name, name)
    except MediaError as error:
        if isinstance(error.__cause__, UnidentifiedImageError):
            return None
        raise


def fit_note(size: tuple[int, int], width: int, height: int, fit: str) -> str:
    """What fitting does to a picture of this size, for the plan's notes: "" when it has the size already."""
    if size == (width, height):
        return ""
    start = f"{size[0]}x{size[1]} is fitted to {width}x{height}"
    if size[0] * height == size[1] * width:
        return f"{start}: scaled"
    if fit == "stretch":
        return f"{start}: stretched, its shape changes"
    inner = _scaled_size(size, width, height, fit)
    if fit == "contain":
        return f"{start}: scaled to {inner[0]}x{inner[1]}, with black bars around"
    return f"{start}: scaled to {inner[0]}x{inner[1]} and cropped evenly"


def write_png(path: Path, picture: Picture) -> None:
    """Write a PNG file, whole or not at all. Raises StorageError."""
    from PIL import Image

    data = io.BytesIO()
    # Level 3 takes about half the time of the usual 6, for files a tenth larger.
    Image.fromarray(picture, "RGB").save(data, "PNG", compress_level=3)
    write_bytes(path, data.getvalue())


def write_jpeg(path: Path, picture: Picture) -> None:
    """Write a JPEG file, for a look at it alone, whole or not at all. Raises StorageError."""
    write_bytes(path, jpeg_bytes(picture))


def jpeg_bytes(picture: Picture, longest: int = 0) -> bytes:
    """A picture as JPEG, for a look at it alone. longest: its longer side at most, in pixels; 0 leaves its size."""
    from PIL import Image

    image, data = Image.fromarray(picture, "RGB"), io.BytesIO()
    if longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    image.save(data, "JPEG", quality=85)
    return data.getvalue()


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """The picture with its header read and its size checked; what is found broken inside the block is a MediaError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(path)
            yield image
    except UnidentifiedImageError as error:
        raise MediaError(f"{path} is not a picture that can be read", _KNOWN) from error
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except OSError as error:
        if error.errno is not None:
            raise storage_error(path, error, "read") from error
        raise _damaged(path, error) from error
    except _BROKEN as error:
        raise _damaged(path, error) from error


def _too_large(path: Path) -> MediaError:
    return MediaError(f"{path} has more than {MAX_PIXELS // 10**6} million pixels", "Make it smaller first")


def _damaged(path: Path, error: Exception) -> MediaError:
    return MediaError(f"{path} is damaged: {error}", "Save it again or take another picture")


def _upright_rgb(path: Path) -> Image:
    """The first frame, whole, turned upright, as RGB."""
    from PIL import ImageOps

    with _opened(path) as image:
        image.load()
        return _rgb(ImageOps.exif_transpose(image))


def _rgb(image: Image) -> Image:
    """8-bit RGB. Pillow cuts 16-bit grey off at 255 instead of scaling it, and ignores transparency."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode == "I":
        import numpy as np

        deep = np.asarray(image).astype(np.int64)
        return Image.fromarray((deep.clip(0, 65535) // 257).astype(np.uint8), "L").convert("RGB")
    if image.mode == "F":
        raise ValueError("its values are floating point numbers, which have no common white")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        black = Image.new("RGBA", seen.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, seen).convert("RGB")
    return image.convert("RGB")


def _scaled_size(size: tuple[int, int], width: int, height: int, fit: str) -> tuple[int, int]:
    """The size after scaling and before cropping or adding bars; never smaller, or never larger, than asked."""
    across, down = width * size[1], height * size[0]  # compares width/size[0] with height/size[1] in whole numbers
    follow_width = across >= down if fit == "cover" else across <= down
    if follow_width:
        return width, max(1, _rounded(size[1] * width, size[0]))
    return max(1, _rounded(size[0] * height, size[1])), height


def _rounded(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)


def _fitted(image: Image, width: int, height: int, fit: str) -> Image:
    from PIL import Image

    if fit not in ("cover", "contain", "stretch"):
        raise ValueError(f"{fit!r} is no way to fit a picture")
    if image.size == (width, height):
        return image
    inner = (width, height) if fit == "stretch" else _scaled_size(image.size, width, height, fit)
    scaled = image.resize(inner, Image.Resampling.LANCZOS)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = Image.new("RGB", (width, height))
    canvas.paste(scaled, (left, top))
    return canvas


def _to_array(image: Image) -> Picture:
    import numpy as np

    return np.array(image, dtype=np.uint8)
