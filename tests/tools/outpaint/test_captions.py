"""Captions by a real model of transformers at tiny size; models that are not there are told before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_captioner import WORDS, write_captioner
from wan_engine.errors import Cancelled, InputError, ModelError
from wan_engine.render.events import stopped
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.captions import caption_place, captions_of
from wan_engine.tools.outpaint.planning import check_template, with_caption


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_captioner(tmp_path_factory.mktemp("captioner"))


def pictures() -> list[tuple[int, Any]]:
    numbers = np.random.default_rng(1)
    return [(number, numbers.integers(0, 256, (40, 60, 3), dtype=np.uint8)) for number in (4, 7)]


def test_each_picture_is_described(captioner: Path) -> None:
    place = caption_place(OutpaintSettings(caption_model=str(captioner)))
    said: list[int] = []
    captions = captions_of(place, "cpu", pictures(), said.append)
    assert list(captions) == said == [4, 7]
    assert {word for caption in captions.values() for word in caption.split()} <= set(WORDS)
    assert all(captions.values())


def test_captioning_can_be_stopped(captioner: Path) -> None:
    def stop(number: int) -> None:
        raise stopped()

    with pytest.raises(Cancelled):
        captions_of(str(captioner), "cpu", pictures(), stop)


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert caption_place(OutpaintSettings()) == ""
    for name in ("no/model", "not a name!", str(tmp_path / "none")):
        with pytest.raises(ModelError, match="not on this machine"):
            caption_place(OutpaintSettings(caption_model=name))
    with pytest.raises(ModelError, match=r"no config\.json"):
        caption_place(OutpaintSettings(caption_model=str(tmp_path)))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        captions_of(
            caption_place(OutpaintSettings(caption_model=str(tmp_path))), "cpu", pictures(), lambda number: None
        )


def test_the_download_is_found_by_its_name(captioner: Path, tmp_path: Path) -> None:
    (tmp_path / "blip2").symlink_to(captioner)
    place = caption_place(OutpaintSettings(caption_model="blip2", model_dirs=str(tmp_path)))
    assert place == str(tmp_path / "blip2")


def test_prompt_and_caption_are_put_together() -> None:
    assert with_caption("a film", "a dog", "{caption} in {prompt}") == "a dog in a film"
    assert with_caption("", "a dog", "{prompt}, {caption}") == "a dog"
    assert with_caption("a film", "", "{prompt}, {caption}") == "a film"
    assert with_caption("a {caption}", "dog {prompt}", "{prompt}, {caption}") == "a {caption}, dog {prompt}"
    with pytest.raises(InputError, match="is not in the template"):
        check_template(OutpaintSettings(caption_model="x", caption_template="{prompt}"))
    check_template(OutpaintSettings(caption_template="nothing"))
