"""What a user may name as a file, and what is said about everything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wan_engine.errors import InputError
from wan_engine.schedule.text_file import MAX_BYTES, read_text


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_text(path)
    problem = caught.value.problems[0]
    assert problem.file == str(path)
    assert problem.remedy
    return str(problem)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf_8_with_and_without_a_mark(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(mark + "0: Käse ☃".encode())
    assert read_text(path) == "0: Käse ☃"


def test_another_encoding_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("0: ä\n".encode() + "30: é".encode("latin-1"))
    assert "line 2, column 5: byte 0xe9 is not UTF-8" in refused(path)


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("0: a".encode("utf-16"))
    assert "UTF-16" in refused(path)


def test_pictures_and_films_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    assert "not a text file" in refused(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "missing.json")
    assert "folder" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "ordinary" in refused(tmp_path / "pipe")  # and does not wait for it
    refused(tmp_path / ("x" * 5000))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    assert f"the most is {MAX_BYTES // 2**20}" in refused(path)
