"""One suite for all detectors: rows as frames, the same however the film is cut into blocks, cuts found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scene_films import Join, blocks_of, joined, score, texture_clip, write_film
from wan_engine.errors import ModelError
from wan_engine.settings_split import SplitSettings
from wan_engine.tools.scenes import network
from wan_engine.tools.scenes.curve import draw_curve, read_curve, write_curve
from wan_engine.tools.scenes.detector import Detector
from wan_engine.tools.scenes.detectors import DETECTORS, make_detector
from wan_engine.tools.scenes.looks import LooksKeeper
from wan_engine.tools.scenes.transitions import Transition, find_transitions


@pytest.fixture(scope="module")
def film() -> tuple[NDArray[np.uint8], list[Transition]]:
    return joined([texture_clip(seed, 30 + 7 * seed) for seed in range(4)], [Join("cut")] * 3)


def small(frames: NDArray[np.uint8], detector: Detector) -> NDArray[np.uint8]:
    import cv2

    size = (detector.size.width, detector.size.height)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


@pytest.fixture(params=sorted(DETECTORS))
def detector(request: pytest.FixtureRequest) -> Detector:
    return DETECTORS[request.param]("cpu")


def test_cuts_are_found(detector: Detector, film: tuple[NDArray[np.uint8], list[Transition]]) -> None:
    frames, truth = film
    seen = small(frames, detector)
    keeper = LooksKeeper()
    keeper.add(seen)
    rows = np.concatenate(list(detector.likelihoods(blocks_of(seen))))
    assert rows.shape == (len(frames), 2)
    assert 0 <= rows.min() <= rows.max() <= 1
    found = find_transitions(rows, keeper.looks(), 0.5, 8)
    assert [each.middle for each in found] == [each.middle for each in truth]
    other = np.concatenate(list(detector.likelihoods(blocks_of(seen, 33))))
    assert np.abs(other - rows).max() < 1e-3


def test_tiny_films(detector: Detector) -> None:
    for count in (1, 2, 3):
        frames = np.zeros((count, detector.size.height, detector.size.width, 3), np.uint8)
        assert sum(len(rows) for rows in detector.likelihoods([frames])) == count
    assert list(detector.likelihoods([])) == []


def test_without_a_network_auto_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "PACKAGES", ())
    detector, notes = make_detector(SplitSettings())
    assert detector.name == "content"
    assert "PySceneDetect" in notes[0]
    with pytest.raises(ModelError, match="not installed"):
        make_detector(SplitSettings(detector="transnet"))


def test_an_unknown_device_is_told() -> None:
    with pytest.raises(ModelError, match="toaster"):
        make_detector(SplitSettings(detector="transnet", device="toaster"))


def test_curves_are_kept(tmp_path: Path, film: tuple[NDArray[np.uint8], list[Transition]]) -> None:
    path = write_film(tmp_path / "film.mp4", film[0])
    curve = draw_curve(path, DETECTORS["content"](""), lambda done: None, lambda: False)
    assert len(curve.times) == len(curve.likelihood) == len(curve.looks) == len(film[0])
    kept = tmp_path / "curve.npz"
    write_curve(kept, curve, "hash", "content")
    again = read_curve(kept, "hash", "content")
    assert again is not None
    assert (again.likelihood == curve.likelihood).all()
    assert again.times.seconds(30) == curve.times.seconds(30)
    assert read_curve(kept, "another", "content") is None
    assert read_curve(kept, "hash", "transnet") is None
    kept.write_bytes(kept.read_bytes()[:500])
    assert read_curve(kept) is None


QUALITY = {"cuts": (["cut"] * 24, 18, 45, 0.98), "gradual": (["dissolve"] * 10 + ["fade"] * 10, 45, 60, 0.95)}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUALITY)
def test_quality(name: str, tmp_path: Path) -> None:
    """F1 of the network within two frames, on films of known transitions."""
    kinds, shortest, longest, wanted = QUALITY[name]
    rng = np.random.default_rng(11)
    clips = [texture_clip(500 + number, int(rng.integers(shortest, longest))) for number in range(len(kinds) + 1)]
    joins = [Join(str(kind), 0 if kind == "cut" else int(rng.integers(6, 14))) for kind in rng.permutation(kinds)]
    frames, truth = joined(clips, joins)
    path = write_film(tmp_path / "film.mp4", frames)
    curve = draw_curve(path, DETECTORS["transnet"]("auto"), lambda done: None, lambda: False)
    reached, wrong = score(find_transitions(curve.likelihood, curve.looks, 0.5, 8), truth)
    assert reached >= wanted, wrong
