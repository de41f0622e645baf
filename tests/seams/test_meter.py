"""Seams of films whose faults are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from wan_engine.plan.seam import Join, Seam, seam_from_json, seam_notes, seam_to_json
from wan_engine.seams.meter import REACH, SeamMeter, measure

Picture = npt.NDArray[np.uint8]
SEAM = 30
SIZE = 96
GOES_ON = Join("last_frame")


def scene(seed: int = 1) -> npt.NDArray[np.float32]:
    """A smooth random landscape, larger than the frames that look at it."""
    noise = np.random.default_rng(seed).normal(size=(400, 400, 3))
    spectrum = np.fft.fft2(noise, axes=(0, 1))
    far = np.hypot(*np.meshgrid(np.fft.fftfreq(400), np.fft.fftfreq(400)))[..., None]
    smooth = np.real(np.fft.ifft2(spectrum / (0.01 + far) ** 1.2, axes=(0, 1)))
    result: npt.NDArray[np.float32] = (40 + 170 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)
    return result


SCENE = scene()


def pan(time: float) -> Picture:
    """The scene seen by a camera that moves two pixels a frame to the right and one down."""
    from cv2 import getRectSubPix

    seen = getRectSubPix(SCENE, (SIZE, SIZE), (100 + 2 * time, 150 + time))
    picture: Picture = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    return picture


def film(time: Callable[[int], float], look: Callable[[int, Picture], Picture] = lambda _n, picture: picture) -> Seam:
    """The one seam of a film of 60 frames."""
    (seam,) = measure((look(number, pan(time(number))) for number in range(60)), {SEAM: GOES_ON})
    return seam


def gain(factor: float) -> Callable[[int, Picture], Picture]:
    """The new clip is brighter."""

    def look(number: int, picture: Picture) -> Picture:
        return picture if number < SEAM else np.clip(picture * factor, 0, 255).astype(np.uint8)

    return look


def test_a_clean_continuation_is_good() -> None:
    seam = film(lambda number: number)
    assert (seam.grade, list(seam.faults())) == ("good", [])
    assert seam.difference == pytest.approx(1, abs=0.15)
    assert seam.motion == pytest.approx(1, abs=0.15)
    assert seam.colour < 0.3
    assert seam.turn is not None
    assert seam.turn < 10


def test_a_doubled_frame_is_a_standstill() -> None:
    seam = film(lambda number: number - (number >= SEAM))
    assert seam.difference == 0
    assert seam.grade == "bad"
    assert seam.freeze
    assert "stands still" in next(seam.faults())


@pytest.mark.parametrize(("skipped", "least"), [(3, 1.5), (30, 1.7)])
def test_skipped_frames_are_a_jump(skipped: int, least: float) -> None:
    seam = film(lambda number: number + skipped * (number >= SEAM))
    assert seam.difference > least
    assert any("jumps" in fault for fault in seam.faults())
    assert seam.grade in ("fair", "bad")


@pytest.mark.parametrize(("factor", "grade"), [(1.05, ("fair", "bad")), (1.1, ("bad",))])
def test_a_brighter_clip_is_a_jump_of_colour(factor: float, grade: tuple[str, ...]) -> None:
    seam = film(lambda number: number, gain(factor))
    assert seam.colour > 1
    assert seam.motion == pytest.approx(1, abs=0.3)
    assert seam.grade in grade
    assert any("colour" in fault for fault in seam.faults())


def test_motion_that_turns_back_is_seen() -> None:
    seam = film(lambda number: number if number < SEAM else 2 * SEAM - 2 - number)
    # The step across the seam still goes on; its neighbours on both sides go opposite ways.
    assert seam.turn is not None
    seam = film(lambda number: number if number < SEAM else SEAM - 1 - 6 * (number == SEAM) + (number - SEAM))
    assert seam.turn is not None
    assert seam.turn > 90
    assert any("turns" in fault for fault in seam.faults())


def test_a_new_prompt_may_change_the_motion() -> None:
    times = [number if number < SEAM else SEAM - 5 + (number - SEAM) for number in range(60)]
    (old,) = measure(map(pan, times), {SEAM: GOES_ON})
    (new,) = measure(map(pan, times), {SEAM: Join("last_frame", new_prompt=True)})
    assert old.turn == new.turn
    assert any("turns" in fault for fault in old.faults())
    assert not any("turns" in fault or "speed" in fault for fault in new.faults())


def test_a_flash_is_seen() -> None:
    def look(number: int, picture: Picture) -> Picture:
        return np.clip(picture.astype(np.int16) + 60, 0, 255).astype(np.uint8) if number == SEAM else picture

    seam = film(lambda number: number / 10, look)
    assert seam.flash
    assert seam.grade == "bad"
    assert not film(lambda number: number).flash


def test_a_still_film_is_good() -> None:
    seam = film(lambda _number: 0.0)
    assert (seam.difference, seam.motion, seam.grade) == (1, 1, "good")


def test_a_wanted_cut_is_no_fault() -> None:
    other = scene(2)[:SIZE, :SIZE].clip(0, 255).astype(np.uint8)
    frames = (pan(number) if number < SEAM else other for number in range(60))
    (seam,) = measure(frames, {SEAM: Join("cut")})
    assert seam.difference > 3
    assert (seam.grade, list(seam.faults())) == ("cut", [])


def test_several_seams_and_short_clips() -> None:
    """Each seam is compared with steps inside the two clips beside it, never with another seam."""
    starts = (5, 8, 40, 59)
    seams = measure((pan(number + 20 * sum(number >= each for each in starts)) for number in range(60)),
                    dict.fromkeys(starts, GOES_ON))  # fmt: skip
    assert [seam.frame for seam in seams] == list(starts)
    assert all(seam.motion > 1.5 or seam.warp > 2 for seam in seams)
    assert all(seam.grade != "good" for seam in seams)


def test_memory_does_not_grow_with_the_film() -> None:
    meter = SeamMeter(dict.fromkeys(range(40, 400, 40), GOES_ON))
    for number in range(400):
        meter.write(pan(number / 4))
        assert len(meter._steps) <= 4 * REACH + 2
    meter.close()
    assert len(meter.seams) == 9


def test_a_seam_that_the_film_does_not_reach_is_left_out() -> None:
    assert measure((pan(number) for number in range(10)), {20: GOES_ON}) == ()
    assert measure([], {20: GOES_ON}) == ()


def around(number: float) -> Picture:
    """The scene seen by a camera that goes round a circle in 60 frames."""
    from cv2 import getRectSubPix

    turn = 2 * np.pi * number / 60
    seen = getRectSubPix(SCENE, (SIZE, SIZE), (200 + 24 * np.cos(turn), 200 + 24 * np.sin(turn)))
    picture: Picture = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    return picture


@pytest.mark.parametrize(("late", "closes"), [(0, True), (15, False)])
def test_a_film_that_loops_has_a_seam_at_its_end(late: int, closes: bool) -> None:
    """Its first frames follow its last one; a clip that begins among them is no part of the steps inside."""
    joins = {5: GOES_ON, 60: Join("loop", since=None)}
    seams = measure((around(number - late * (number < 5)) for number in range(60)), joins)
    assert [(seam.frame, seam.kind) for seam in seams] == [(5, "last_frame"), (60, "loop")]
    assert (abs(seams[1].difference - 1) < 0.1) == closes
    assert (seams[1].warp < 1.5) == closes
    assert seams[1].drift is None


def drift_notes(seams: Iterable[Seam]) -> list[str]:
    return [note for note in seam_notes(seams, Fraction(20)) if note.startswith("Colours")]


def test_the_drift_of_each_clip_is_told_from_where_its_chain_began() -> None:
    joins = {20: Join("overlap"), 40: Join("overlap"), 60: Join("cut", since=60), 80: Join("overlap", since=60)}
    seams = measure((np.full((48, 48, 3), 100 + 2 * (number // 20), np.uint8) for number in range(100)), joins)
    first, second, cut, after = (seam.drift for seam in seams)
    assert first is not None
    assert second is not None
    assert second == pytest.approx(2 * first, rel=0.02)
    assert cut is None
    assert after == pytest.approx(first, rel=0.05)
    assert not drift_notes(seams), "4 levels are no drift to speak of"
    far = [replace(seam, drift=seam.drift and 3 * seam.drift / second) for seam in seams]
    (told,) = drift_notes(far)
    assert told.startswith("Colours drift: the clip from frame 40 (2.00 s) on lies 3.0 Lab units")
    new = [far[0], replace(far[1], new_prompt=True), *far[2:]]
    assert not drift_notes(new), "another text, other colours"


def test_seams_are_ranked_by_grade_and_then_by_their_figures() -> None:
    clean, bright = film(lambda number: number), film(lambda number: number, gain(1.05))
    still = film(lambda number: number - (number >= SEAM))
    assert clean.rank < bright.rank < still.rank
    stepped, faster = replace(clean, difference=1.31), replace(clean, difference=1.29, motion=1.35)
    assert (stepped.grade, stepped.shows) == (faster.grade, not faster.shows)
    assert faster.rank < stepped.rank, "nothing is left to mend there"


def test_a_seam_is_json() -> None:
    seam = film(lambda number: number)
    seam = replace(seam, versions=(seam.version("render", 7), replace(seam.version("vace", 8), kept=True)))
    values = seam_to_json(seam)
    assert (values["grade"], values["freeze"]) == ("good", False)
    assert values["versions"][1]["made_by"] == "vace"
    assert seam_from_json(values) == seam


def test_what_changes_in_a_flat_surface_is_no_motion() -> None:
    """A bar goes right over grey that is not quite even, and uneven in another way behind the seam."""
    grounds = [100 + 2.5 * scene(seed)[:64, :128] / 210 for seed in (3, 4)]

    def frame(number: int) -> Picture:
        picture = np.rint(grounds[number >= 20]).astype(np.uint8)
        picture[20:44, 10 + number : 26 + number] = (220, 90, 40)
        return picture

    (seam,) = measure([frame(number) for number in range(40)], {20: GOES_ON})
    assert seam.motion == pytest.approx(1, abs=0.35)
