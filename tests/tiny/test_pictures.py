"""What films show, with the model that comes with the engine: prompts on their frames, ways, seams, given pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wan_engine.film import make_film
from wan_engine.models.folder import find_models
from wan_engine.settings import Settings
from wan_engine.tiny import WEIGHTS
from wan_engine.tiny.judge import Sighting, direction, look, psnr
from wan_engine.tiny.world import CAPTIONS, Canvas, Caption, Dice, gliding, render

PROMPTS = {
    0: Caption("red", "circle", "right", "black"),
    24: Caption("green", "square", "down", "black"),
    48: Caption("blue", "triangle", "left", "white"),
}
_ENDS = (("cyan", "square", "still", "grey"), ("magenta", "circle", "right", "grey"))
_FRAMES = 72
_CHANGE = 8


def film(folder: Path, **changes: Any) -> list[np.ndarray]:
    """The frames of a film as they are saved, without loss."""
    prompts = {str(start): caption.text for start, caption in PROMPTS.items()}
    settings = Settings(prompts=prompts, width=64, height=64, fps="16", max_frames=_FRAMES, seed=3, save_frames=True)
    result = make_film(replace(settings, output_dir=str(folder), **changes), lambda event: None, lambda: False)
    assert not any("noise" in note for note in result.notes)
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(result.folder.glob("*_0*.png"))]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    return film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def seen(frames: list[np.ndarray]) -> list[Sighting]:
    return [look(frame) for frame in frames]


def test_each_prompt_is_seen_on_its_frames(seen: list[Sighting]) -> None:
    assert len(seen) == _FRAMES
    for start, caption in PROMPTS.items():
        shown = [sighting.shows(caption) for sighting in seen[start + (_CHANGE if start else 0) : start + 24]]
        assert sum(shown) >= 0.9 * len(shown), caption


def test_the_shape_goes_where_its_prompt_says(seen: list[Sighting]) -> None:
    for start, caption in PROMPTS.items():
        assert direction(seen[start + _CHANGE : start + 24]) == caption.motion


def test_the_shape_goes_on_over_the_seams(seen: list[Sighting]) -> None:
    places = np.array([(sighting.x, sighting.y) for sighting in seen])
    jumps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    seams = [start - 1 for start in PROMPTS if start]
    inside = np.delete(jumps, [step for seam in seams for step in range(seam, seam + _CHANGE)])
    assert max(jumps[seam] for seam in seams) <= inside.max() + 2


def test_given_first_and_last_pictures_are_met(tmp_path: Path) -> None:
    import torch

    before, caption = (CAPTIONS.index(Caption(*names)) for names in _ENDS)
    clips = gliding(Dice.of(8), Canvas(64, 64, 25), torch.tensor([before]), torch.tensor([caption]))
    ends = ((render(clips)[0, :, [0, -1]] + 1) * 127.5).round().byte().permute(1, 2, 3, 0).numpy()
    paths = [tmp_path / name for name in ("first.png", "last.png")]
    for path, picture in zip(paths, ends, strict=True):
        Image.fromarray(picture).save(path)
    images = {"init_image": str(paths[0]), "end_image": str(paths[1])}
    made = film(tmp_path, prompts={"0": CAPTIONS[caption].text}, max_frames=25, **images)
    assert len(made) == 25
    assert psnr(made[0], ends[0]) > 33
    assert psnr(made[-1], ends[1]) > 31


def test_the_same_seed_gives_the_same_film_and_another_does_not(frames: list[np.ndarray], tmp_path: Path) -> None:
    short = {"max_frames": 9}
    one, same, other = (film(tmp_path / str(n), **short, **rest) for n, rest in enumerate(({}, {}, {"seed": 4})))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_the_weights_are_of_all_modes_and_small() -> None:
    cards = find_models(WEIGHTS)
    assert {mode for card in cards for mode in card.modes} == {"t2v", "i2v", "flf2v", "vace"}
    assert not any(card.noise for card in cards)
    assert sum(file.stat().st_size for file in WEIGHTS.rglob("*") if file.is_file()) < 40_000_000
