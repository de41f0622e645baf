"""Where films and state lie."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from pathlib import Path

import pytest

from wan_engine.errors import StorageError
from wan_engine.settings import Settings
from wan_engine.storage.places import (
    FilmPlaces,
    check_free_space,
    film_folder,
    free_bytes,
    open_film_folder,
    outputs_root,
)

NOW = datetime(2026, 2, 3, 23, 59, 59)


def settings_for(root: Path, batch_name: str = "film") -> Settings:
    return Settings(output_dir=str(root), batch_name=batch_name, seed=7)


def test_folder_is_made_with_typed_names(tmp_path: Path) -> None:
    places = film_folder(settings_for(tmp_path / "out", "{seed} run"), NOW)
    folder = tmp_path / "out" / "7_run" / "20260203235959"
    assert places == FilmPlaces(folder)
    assert folder.is_dir()
    assert places.film == folder / "20260203235959.mp4"
    assert places.gif == folder / "20260203235959.gif"
    assert places.subtitles == folder / "20260203235959.srt"
    assert places.plan == folder / "20260203235959_plan.json"
    assert places.settings == folder / "20260203235959_settings.json"
    assert places.preview == folder / "20260203235959_preview.png"
    assert places.frame(0) == folder / "20260203235959_000000000.png"
    assert places.frame(123_456) == folder / "20260203235959_000123456.png"
    assert places.clips == folder / "clips"


def test_two_films_of_one_second_take_two_folders(tmp_path: Path) -> None:
    first, second = (film_folder(settings_for(tmp_path), NOW) for _ in range(2))
    assert first.folder != second.folder
    assert second.timestring == "20260204000000"
    assert second.film.name == "20260204000000.mp4"


def test_timestring_in_the_batch_name_follows(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "at_{timestring}")
    folders = [film_folder(settings, NOW).folder for _ in range(2)]
    assert all(folder.parent.name == f"at_{folder.name}" for folder in folders)


def test_many_at_once_never_share(tmp_path: Path) -> None:
    made: list[Path] = []
    threads = [
        threading.Thread(target=lambda: made.append(film_folder(settings_for(tmp_path), NOW).folder)) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 12


@pytest.mark.parametrize("batch_name", ["..", "../..", "/tmp", "..\\..", "", ".", "{positive_prompt}", "nul"])
def test_batch_name_never_leads_out(tmp_path: Path, batch_name: str) -> None:
    root = tmp_path / "out"
    folder = film_folder(settings_for(root, batch_name), NOW).folder
    assert folder.parent.parent == root
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "film").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="leads out"):
        film_folder(settings_for(tmp_path / "out"), NOW)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StorageError, match="make the folder"):
        film_folder(settings_for(tmp_path / "out"), NOW)


def test_batch_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "film").write_text("")
    with pytest.raises(StorageError, match="make the folder"):
        film_folder(settings_for(tmp_path), NOW)


def test_default_root_is_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert outputs_root(Settings()) == tmp_path / "outputs"
    assert outputs_root(Settings(output_dir="x")) == tmp_path / "x"
    assert outputs_root(Settings(output_dir="~/x")) == Path.home() / "x"
    assert not list(tmp_path.iterdir())


def test_open_film_folder(tmp_path: Path) -> None:
    made = film_folder(settings_for(tmp_path), NOW)
    assert open_film_folder(made.folder) == made
    with pytest.raises(StorageError, match="not a film"):
        open_film_folder(tmp_path / "none")


def test_free_space(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "there") > 0
    check_free_space(tmp_path, 1)
    with pytest.raises(StorageError, match=r"GB free, and 1000000000\.0 GB are needed") as caught:
        check_free_space(tmp_path, 10**18)
    assert "output_dir" in caught.value.remedy
