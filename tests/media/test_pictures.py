"""Pictures of every kind become RGB of the asked size; everything else is a clear error."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wan_engine.errors import MediaError, StorageError
from wan_engine.media.pictures import (
    MAX_PIXELS,
    fit_note,
    fit_picture,
    picture_size,
    read_picture,
    write_jpeg,
    write_png,
)

RED, BLUE = (200, 30, 20), (10, 40, 220)


def halves(width: int = 64, height: int = 32) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), BLUE)
    image.paste(RED, (0, 0, width // 2, height))
    return image


def close(pixel: Any, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool(np.abs(np.asarray(pixel, int) - colour).max() <= tolerance)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_formats_are_told_by_content(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.txt"
    halves().save(path, kind)
    picture = read_picture(path, 64, 32, "cover")
    assert picture.shape == (32, 64, 3)
    assert picture.dtype == np.uint8
    assert close(picture[16, 10], RED)
    assert close(picture[16, 54], BLUE)
    assert picture_size(path) == (64, 32)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr", "LA", "RGBA", "PA"])
def test_colour_modes(tmp_path: Path, mode: str) -> None:
    kind = {"CMYK": "TIFF", "YCbCr": "JPEG", "PA": "TIFF"}.get(mode, "PNG")  # Pillow 12.3 cannot read its YCbCr TIFFs
    image = (halves().convert("P") if mode == "PA" else halves()).convert(mode)
    image.save(tmp_path / "a", kind)
    picture = read_picture(tmp_path / "a", 64, 32, "stretch")
    if mode in ("L", "LA", "1"):
        assert picture[16, 10, 0] == picture[16, 10, 1] == picture[16, 10, 2]
    else:
        assert close(picture[16, 10], RED, 30)
        assert close(picture[16, 54], BLUE, 30)


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(32, axis=0)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png", 64, 32, "cover")
    assert np.abs(picture[0, :, 0].astype(int) - ramp[0] / 257).max() <= 1


def test_transparent_parts_stand_on_black(tmp_path: Path) -> None:
    image = Image.new("RGBA", (32, 32), (255, 255, 255, 0))
    image.paste((200, 100, 50, 255), (0, 0, 16, 32))
    image.paste((200, 100, 50, 128), (16, 0, 24, 32))
    image.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png", 32, 32, "cover")
    assert tuple(picture[5, 5]) == (200, 100, 50)
    assert close(picture[5, 20], (100, 50, 25), 2)
    assert tuple(picture[5, 30]) == (0, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured(tmp_path: Path, orientation: int) -> None:
    """The picture seen upright is red left of blue, whatever way it lies in the file."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = halves()
    if orientation in undo:
        image = image.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert picture_size(tmp_path / "a.jpg") == (64, 32)
    picture = read_picture(tmp_path / "a.jpg", 64, 32, "cover")
    assert close(picture[16, 8], RED)
    assert close(picture[16, 56], BLUE)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation(tmp_path: Path, kind: str) -> None:
    halves().save(tmp_path / "a", kind, save_all=True, append_images=[Image.new("RGB", (64, 32), (0, 255, 0))])
    assert close(read_picture(tmp_path / "a", 64, 32, "cover")[16, 10], RED)


def test_cover_crops_evenly() -> None:
    wide = np.asarray(halves(128, 32))
    picture = fit_picture(wide, 32, 32, "cover")
    assert close(picture[16, 0], RED, 30)
    assert close(picture[16, 31], BLUE, 30)
    assert close(picture[16, 13], RED, 30)
    assert close(picture[16, 18], BLUE, 30)


def test_contain_puts_black_bars() -> None:
    picture = fit_picture(np.asarray(halves(64, 32)), 64, 64, "contain")
    assert not picture[:16].any()
    assert not picture[48:].any()
    assert picture[17:47].min(axis=(0, 1)).any()
    assert tuple(picture[32, 10]) == RED


def test_stretch_keeps_all() -> None:
    picture = fit_picture(np.asarray(halves(64, 32)), 32, 64, "stretch")
    assert tuple(picture[0, 0]) == tuple(picture[63, 10]) == RED
    assert tuple(picture[0, 31]) == tuple(picture[63, 31]) == BLUE


def test_same_size_is_untouched() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    for fit in ("cover", "contain", "stretch"):
        assert np.array_equal(fit_picture(noise, 48, 32, fit), noise)


@given(
    *(st.integers(1, 90) for _ in range(4)),
    st.sampled_from(["cover", "contain", "stretch"]),
)
def test_size_is_always_the_asked_one(width: int, height: int, to_width: int, to_height: int, fit: str) -> None:
    white = np.full((height, width, 3), 255, np.uint8)
    picture = fit_picture(white, to_width, to_height, fit)
    assert picture.shape == (to_height, to_width, 3)
    if fit != "contain":
        assert picture.min() == 255  # cover leaves no bar, not even one pixel wide


def test_unknown_fit() -> None:
    with pytest.raises(ValueError, match="no way"):
        fit_picture(np.zeros((4, 4, 3), np.uint8), 8, 8, "tile")


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        ((64, 64), "cover", ""),
        ((128, 128), "cover", "128x128 is fitted to 64x64: scaled"),
        ((128, 64), "cover", "128x64 is fitted to 64x64: scaled to 128x64 and cropped evenly"),
        ((128, 64), "contain", "128x64 is fitted to 64x64: scaled to 64x32, with black bars around"),
        ((128, 64), "stretch", "128x64 is fitted to 64x64: stretched, its shape changes"),
    ],
)
def test_fit_note(size: tuple[int, int], fit: str, expected: str) -> None:
    assert fit_note(size, 64, 64, fit) == expected


def test_write_jpeg(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg", np.asarray(halves()))
    with Image.open(tmp_path / "a.jpg") as written:
        assert written.format == "JPEG"
        assert close(written.getpixel((10, 16)), RED)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_write_png_round_trip(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", noise)
    assert np.array_equal(read_picture(tmp_path / "a.png", 48, 32, "cover"), noise)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return header + struct.pack(">I", 100) + b"IDAT" + bytes(104)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("pixels", [MAX_PIXELS + 10_000, 2 * MAX_PIXELS + 10_000, 10**9])
def test_too_many_pixels(tmp_path: Path, pixels: int) -> None:
    (tmp_path / "a.png").write_bytes(png_header(10_000, pixels // 10_000 + 1))
    for look in (picture_size, lambda path: read_picture(path, 64, 64, "cover")):
        with pytest.raises(MediaError, match="million pixels"):
            look(tmp_path / "a.png")


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x00" * 1000],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(MediaError, match="not a picture") as caught:
        read_picture(tmp_path / "a.png", 64, 64, "cover")
    assert "PNG" in caught.value.remedy


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_cut_and_changed_files_never_crash(tmp_path: Path, kind: str) -> None:
    data = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(data, kind)
    whole = data.getvalue()
    path = tmp_path / "a"
    for share in (0.05, 0.3, 0.6):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(MediaError):
            read_picture(path, 64, 48, "cover")
    rng = np.random.default_rng(1)
    for _ in range(40):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            changed[place] = rng.integers(256)
        path.write_bytes(changed)
        with contextlib.suppress(MediaError):  # a change may hit nothing that matters
            assert read_picture(path, 64, 48, "cover").shape == (48, 64, 3)
        with contextlib.suppress(MediaError):
            picture_size(path)


def test_floating_point_picture(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(MediaError, match="floating"):
        read_picture(tmp_path / "a.tif", 8, 8, "cover")


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.png"):
        read_picture(tmp_path / "none.png", 8, 8, "cover")
    with pytest.raises(StorageError):
        read_picture(tmp_path, 8, 8, "cover")


@pytest.mark.skipif(os.name == "nt", reason="needs /dev/full")
def test_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        write_png(tmp_path / "gone" / "a.png", np.zeros((8, 8, 3), np.uint8))
