"""Many files are read in processes beside this one, with the same result as here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import model_files
from model_files import write_sparse
from wan_engine.models.catalog import reading
from wan_engine.models.catalog.reading import UNREADABLE, detect_all
from wan_engine.models.detect import Part

T2V = model_files.transformer("t2v-1.3b")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [write_sparse(tmp_path / f"wän {number}.safetensors", T2V, **{"modelspec.title": "é"}) for number in (1, 2)]
    (tmp_path / "broken.safetensors").write_bytes(b"\x10" + bytes(7) + b"{no JSON, really}")
    return [*found, tmp_path / "broken.safetensors", tmp_path / "gone.gguf"]


@pytest.fixture
def here(files: list[Path]) -> list[Part]:
    return reading._here(files)


def test_other_processes_find_the_same(files: list[Path], here: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MANY", 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(reading, "_here", lambda paths: pytest.fail("read here"))
    assert detect_all(files) == here
    assert [part.label for part in here][2:] == [UNREADABLE, UNREADABLE]
    assert "does not exist" in here[3].problem


def test_without_other_processes_they_are_read_here(
    files: list[Path], here: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MANY", 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(sys, "executable", "/no/python/here")
    assert detect_all(files) == here
