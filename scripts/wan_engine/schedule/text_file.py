"""Reads a text file that a user names: bounded in size, UTF-8, and with a plain word for everything it is not."""

from __future__ import annotations

from pathlib import Path

from wan_engine.errors import InputError, Problem

MAX_BYTES = 16 * 1024 * 1024
"""A schedule of 10 000 long prompts has about 5 MB."""

_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark. Raises InputError."""
    try:
        message, remedy = _refusal(path)
        if message:
            raise InputError(Problem(message, remedy, file=str(path)))
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        problem = Problem(f"it cannot be read ({reason})", "Check the path and its permissions", file=str(path))
        raise InputError(problem) from error
    return decode_text(data, str(path))


def _refusal(path: Path) -> tuple[str, str]:
    if not path.exists():
        return "there is no such file", "Check the path"
    if path.is_dir():
        return "it is a folder", "Give a file inside it"
    if not path.is_file():
        return "it is not an ordinary file", "Give a JSON, YAML or text file"
    size = path.stat().st_size
    if size > MAX_BYTES:
        return f"it has {size / 2**20:.0f} MiB; the most is {MAX_BYTES // 2**20}", "Is it really a schedule?"
    return "", ""


def decode_text(data: bytes, file: str) -> str:
    """The text of bytes in UTF-8, without a byte order mark. file: their name, for errors. Raises InputError."""
    if data.startswith(_UTF_16_OR_32):
        raise InputError(Problem("it is saved as UTF-16", "Save it as UTF-8", file=file))
    if b"\x00" in data:
        raise InputError(Problem("it is not a text file", "Give a JSON, YAML or text file", file=file))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        problem = Problem(message, "Save the file with the encoding UTF-8", line=line, column=column, file=file)
        raise InputError(problem) from error
