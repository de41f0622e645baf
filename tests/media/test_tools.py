"""Which ffmpeg is taken, and what counts as a working encoder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wan_engine.errors import MediaError
from wan_engine.media.tools import ENCODERS, Ffmpeg, find_ffmpeg, said_words, try_encoder

posix_only = pytest.mark.skipif(os.name == "nt", reason="makes programs out of shell scripts")


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ffmpeg:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    return find_ffmpeg()


def program(path: Path, version: str, nvenc_program: str = "") -> Path:
    """A program that says it is this version of ffmpeg, and encodes by handing on to another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encode = f'exec "{nvenc_program}" -y -i /dev/null' if not nvenc_program else "cat > /dev/null; exit 0"
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *-version*) echo "ffmpeg version {version} Copyright";; *) {encode};; esac\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_embedded_is_the_default(embedded: Ffmpeg) -> None:
    assert embedded.source == "embedded"
    assert embedded.numbers is not None
    assert embedded.numbers >= (6, 1)


def test_encoders_are_tried_not_listed(embedded: Ffmpeg) -> None:
    found = {name: not try_encoder(embedded, name) for name in ENCODERS}
    assert found["libx264"]
    assert found["libx265"]
    assert found["gif"]
    assert found["ffv1"]
    if not Path("/dev/nvidiactl").exists():
        assert not found["h264_nvenc"]
        assert "libcuda" in try_encoder(embedded, "h264_nvenc") or try_encoder(embedded, "h264_nvenc")


def test_reason_names_the_cause(embedded: Ffmpeg) -> None:
    assert try_encoder(embedded, "libx264") == ""
    assert "no_such_encoder" in try_encoder(embedded, "no_such_encoder")
    assert try_encoder(embedded, "libx264", "no_such_format")
    assert try_encoder(embedded, "libx264", "yuv420p", 63, 63)


def test_override(monkeypatch: pytest.MonkeyPatch, embedded: Ffmpeg) -> None:
    monkeypatch.setenv("WAN_FFMPEG", embedded.path)
    assert find_ffmpeg() == Ffmpeg(embedded.path, embedded.version, "WAN_FFMPEG")


@pytest.mark.parametrize("override", ["/no/such/ffmpeg", "/etc/passwd"])
def test_override_that_does_not_start(monkeypatch: pytest.MonkeyPatch, override: str) -> None:
    monkeypatch.setenv("WAN_FFMPEG", override)
    with pytest.raises(MediaError, match=override) as caught:
        find_ffmpeg()
    assert "WAN_FFMPEG" in caught.value.remedy


@posix_only
def test_override_that_is_something_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = program(tmp_path / "tool", "x")
    other.write_text("#!/bin/sh\necho hello\n")
    monkeypatch.setenv("WAN_FFMPEG", str(other))
    with pytest.raises(MediaError, match="is not an ffmpeg"):
        find_ffmpeg()


@posix_only
@pytest.mark.parametrize(
    ("version", "nvenc_works", "source"),
    [
        ("6.1", True, "system"),
        ("n7.0.2-3-gabc", True, "system"),
        ("N-117000-gabcdef", True, "system"),
        ("6.0.1", True, "embedded"),
        ("5.1.9-0+deb12u1", True, "embedded"),
        ("7.1", False, "embedded"),
    ],
)
def test_system_ffmpeg_is_taken_for_nvenc_that_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, nvenc_works: bool, source: str
) -> None:
    system = program(tmp_path / "bin" / "ffmpeg", version, "works" if nvenc_works else "")
    monkeypatch.setenv("PATH", os.pathsep.join([str(system.parent), "/usr/bin", "/bin"]))
    assert find_ffmpeg().source == source


@posix_only
def test_broken_system_ffmpeg_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system = program(tmp_path / "bin" / "ffmpeg", "7.1")
    system.write_text("#!/bin/sh\nexit 127\n")
    monkeypatch.setenv("PATH", str(system.parent))
    assert find_ffmpeg().source == "embedded"


@posix_only
def test_without_the_embedded_one_the_system_one_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import imageio_ffmpeg

    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    find_ffmpeg.__globals__["_find"].cache_clear()
    with pytest.raises(MediaError, match="no embedded ffmpeg"):
        find_ffmpeg()
    system = program(tmp_path / "bin" / "ffmpeg", "5.1.9")
    monkeypatch.setenv("PATH", os.pathsep.join([str(system.parent), "/usr/bin", "/bin"]))
    assert find_ffmpeg() == Ffmpeg(str(system), "5.1.9", "system")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("9.0.2", (9, 0, 2)), ("n9.0.2-17-g2a57-2026", (9, 0, 2)), ("5.1.9-0+deb12u1", (5, 1, 9)), ("N-1-gab", None)],
)
def test_version_numbers(version: str, numbers: tuple[int, ...] | None) -> None:
    assert Ffmpeg("x", version, "system").numbers == numbers


def test_said_words_keeps_cause_and_end() -> None:
    assert said_words([]) == ""
    assert said_words(["[a @ 0x1] [b @ 0x2] Cannot load\n", "[a @ 0x3] Cannot load\n", "\n"]) == "Cannot load"
    assert said_words([f"line {number}." for number in range(9)]) == "line 0; line 1; ...; line 7; line 8"
