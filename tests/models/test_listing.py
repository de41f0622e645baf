"""Which models are found below the roots, and what is said of damaged ones."""

from __future__ import annotations

from pathlib import Path

from wan_engine.models.listing import DEPTH, list_models
from wan_engine.tiny import WEIGHTS


def test_models_are_found_below_the_roots_once(tmp_path: Path) -> None:
    link = tmp_path.joinpath(*"abc"[: DEPTH - 1], "tiny")
    link.parent.mkdir(parents=True)
    link.symlink_to(WEIGHTS / "t2v")
    embedded, found = list_models([tmp_path, tmp_path, tmp_path / "none"], WEIGHTS)
    assert (embedded.embedded, embedded.path, embedded.family) == (True, "", "Wan-Tiny")
    assert embedded.size_bytes > 100_000
    assert {"t2v", "i2v", "flf2v"} <= set(embedded.modes)
    assert found.path == str(link)


def test_too_deep_is_not_looked(tmp_path: Path) -> None:
    deep = tmp_path.joinpath("a", "b", "c", "d")
    deep.mkdir(parents=True)
    (deep / "model_index.json").write_text("{}")
    assert len(list_models([tmp_path], WEIGHTS)) == 1


def test_a_damaged_model_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model_index.json").write_text("{")
    (_, broken) = list_models([tmp_path], WEIGHTS)
    assert (broken.name, broken.family, broken.modes) == ("broken", "", ())
    assert "model_index.json" in broken.error
